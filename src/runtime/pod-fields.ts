import { RuntimeError } from './errors.ts'
import type { DeployRequest, EnginePort, PodContainer, PodDocument } from './types.ts'

const WORKLOAD_ID = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** `spec.initContainers`, or nothing. */
export function initContainersOf(pod: PodDocument): readonly PodContainer[] {
  return (pod.spec.initContainers as readonly PodContainer[] | undefined) ?? []
}

/** Every image the pod needs, once each, with the pull policy of its first use. */
export function imagesOf(pod: PodDocument): Map<string, string> {
  const images = new Map<string, string>()
  for (const { image, imagePullPolicy } of [...initContainersOf(pod), ...pod.spec.containers])
    if (!images.has(image)) images.set(image, String(imagePullPolicy ?? 'IfNotPresent'))
  return images
}

/** The ports the pod publishes on the host. A containerPort without a hostPort is a remark, as in Kubernetes, and publishes nothing. */
export function hostPortsOf(pod: PodDocument): EnginePort[] {
  type Written = {
    containerPort: number
    hostPort?: number
    hostIP?: string
    protocol?: EnginePort['protocol']
  }
  const written = pod.spec.containers.flatMap(({ ports }) => (ports as readonly Written[] | undefined) ?? [])
  return written.flatMap(({ containerPort, hostPort, hostIP, protocol = 'TCP' }) =>
    hostPort === undefined || hostPort === 0
      ? []
      : [{ containerPort, hostPort, protocol, ...(hostIP === undefined ? {} : { hostIp: hostIP }) }]
  )
}

/** @throws RuntimeError POD_REFUSED when ID, name or file volumes of a request contradict each other */
export function assertDeployRequest({ workloadId, pod, files }: DeployRequest, engine: string): void {
  const refuse = (message: string, details = {}) => {
    throw new RuntimeError('POD_REFUSED', message, { details: { engine, workloadId, ...details } })
  }
  if (!WORKLOAD_ID.test(workloadId))
    refuse(`expected a workload ID that matches ${WORKLOAD_ID}, got "${workloadId}"`)
  if (pod.metadata.name !== workloadId)
    refuse(`expected metadata.name to be the workload ID "${workloadId}", got "${pod.metadata.name}"`)
  const volumes = new Set(
    ((pod.spec.volumes as readonly { name: string }[] | undefined) ?? []).map(({ name }) => name)
  )
  for (const { volume, files: entries } of files) {
    if (!volumes.has(volume))
      refuse(`files are given for volume "${volume}", which is not in spec.volumes`, { volume })
    for (const { path } of entries)
      if (!isInside(path))
        refuse(`expected a path inside volume "${volume}", got "${path}"`, { volume, path })
  }
}

/** A relative path that stays where it starts: no leading slash, no "..", no empty part. */
function isInside(path: string): boolean {
  return !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

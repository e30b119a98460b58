import { RuntimeError } from './errors.ts'
import type { DeployRequest, EnginePort, PodContainer, PodDocument } from './types.ts'

const WORKLOAD_ID = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
/** What both Podman and Docker take for the name of a volume. */
const CLAIM_NAME = /^[a-z0-9][-a-z0-9_.]{0,252}$/

/** `spec.initContainers`, or nothing. */
export function initContainersOf(pod: PodDocument): readonly PodContainer[] {
  return (pod.spec.initContainers as readonly PodContainer[] | undefined) ?? []
}

const POLICIES = ['Never', 'IfNotPresent', 'Always'] as const
export type PullPolicy = (typeof POLICIES)[number]

/** Every image the pod needs, once each, with the most eager pull policy of its uses; none written means IfNotPresent. */
export function imagesOf(pod: PodDocument): Map<string, PullPolicy> {
  const images = new Map<string, PullPolicy>()
  for (const { image, imagePullPolicy } of [...initContainersOf(pod), ...pod.spec.containers]) {
    const policy = POLICIES.find((known) => known === imagePullPolicy) ?? 'IfNotPresent'
    const before = images.get(image)
    if (before === undefined || POLICIES.indexOf(policy) > POLICIES.indexOf(before)) images.set(image, policy)
  }
  return images
}

/** What is to be done about an image: nothing, fetch it, or give up. Images named localhost/… have no registry. */
export function planImage(image: string, policy: PullPolicy, here: boolean): 'use' | 'pull' | 'refuse' {
  const local = image.startsWith('localhost/') || policy === 'Never'
  if (here && (local || policy !== 'Always')) return 'use'
  return local ? 'refuse' : 'pull'
}

/** Names of the volumes that the pod's claims stand for, once each. */
export function claimsOf(pod: PodDocument): string[] {
  type Written = { readonly persistentVolumeClaim?: { readonly claimName: string } }
  const volumes = (pod.spec.volumes as readonly Written[] | undefined) ?? []
  return [...new Set(volumes.flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? []))]
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
export function assertDeployRequest(request: DeployRequest, engine: string): void {
  const { workloadId, pod, files, pidsLimit = 1 } = request
  const refuse = (message: string, details = {}) => {
    throw new RuntimeError('POD_REFUSED', message, { details: { engine, workloadId, ...details } })
  }
  if (!WORKLOAD_ID.test(workloadId))
    refuse(`expected a workload ID that matches ${WORKLOAD_ID}, got "${workloadId}"`)
  if (pod.metadata.name !== workloadId)
    refuse(`expected metadata.name to be the workload ID "${workloadId}", got "${pod.metadata.name}"`)
  if (!Number.isSafeInteger(pidsLimit) || pidsLimit < 1)
    refuse(`expected a limit of at least one process, got ${pidsLimit}`)
  const badClaim = claimsOf(pod).find((name) => !CLAIM_NAME.test(name))
  if (badClaim !== undefined) refuse(`expected a claim name that matches ${CLAIM_NAME}, got "${badClaim}"`)
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

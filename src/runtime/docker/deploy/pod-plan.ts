import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type Docker from 'dockerode'
import { parseQuantity } from '../../parts/index.ts'
import { initContainersOf } from '../../pod-fields.ts'
import type { PodDocument } from '../../types.ts'
import { dockerError } from '../docker-error.ts'

export interface PodVolume extends Readonly<Record<string, unknown>> {
  readonly name: string
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string | number }
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly?: boolean }
  readonly hostPath?: { readonly path: string; readonly type?: string }
  readonly secret?: unknown
  readonly configMap?: unknown
}

export interface PodMount {
  readonly name: string
  readonly mountPath: string
  readonly readOnly?: boolean
  readonly subPath?: string
}

/** Where a volume of the pod is: a directory of this machine, or a volume of Docker's. */
export type Source =
  | { readonly type: 'bind'; readonly source: string; readonly readOnly: boolean }
  | {
      readonly type: 'volume'
      readonly source: string
      readonly readOnly: boolean
      readonly emptyDir?: { readonly driverOptions: Record<string, string> }
    }

export function volumesOf(pod: PodDocument): readonly PodVolume[] {
  return (pod.spec.volumes as readonly PodVolume[] | undefined) ?? []
}

/** @throws RuntimeError POD_REFUSED for what Docker would not do as written */
export function assertDockerCanRun(pod: PodDocument, fileVolumes: ReadonlySet<string> = new Set()): void {
  const { name } = pod.metadata
  const refuse = (message: string) => {
    throw dockerError('POD_REFUSED', `docker cannot run pod "${name}": ${message}`, { workloadId: name })
  }
  if (pod.spec.containers.length === 0) refuse('it needs at least one container')
  const volumes = new Map(volumesOf(pod).map((volume) => [volume.name, volume]))
  for (const volume of volumes.values()) {
    const known = volume.emptyDir ?? volume.persistentVolumeClaim ?? volume.hostPath
    if (!fileVolumes.has(volume.name) && known === undefined)
      refuse(`volume "${volume.name}" must come as files, or be an emptyDir, a claim or a hostPath`)
  }
  for (const { name: container, env, volumeMounts } of [...initContainersOf(pod), ...pod.spec.containers]) {
    for (const entry of (env as { name: string; valueFrom?: object }[] | undefined) ?? [])
      if (entry.valueFrom !== undefined)
        refuse(`variable ${entry.name} of container "${container}" must come as a value`)
    for (const mount of (volumeMounts as readonly PodMount[] | undefined) ?? []) {
      const volume = volumes.get(mount.name)
      if (volume === undefined)
        refuse(`container "${container}" mounts "${mount.name}", which is no volume of it`)
      else if (mount.subPath && !fileVolumes.has(mount.name) && volume.hostPath === undefined)
        refuse(`container "${container}" mounts a subPath of volume "${mount.name}", which Docker cannot`)
    }
  }
  for (const field of ['hostPID', 'shareProcessNamespace'])
    if (pod.spec[field] === true) refuse(`it asks for ${field}`)
}

/** Each volume of the pod and where it is. Makes the directory of a hostPath that asks for that. */
export async function planSources(
  pod: PodDocument,
  files: ReadonlyMap<string, string>
): Promise<Map<string, Source>> {
  const sources = new Map<string, Source>()
  const prefix = `${pod.metadata.name}-`
  for (const { name, emptyDir, persistentVolumeClaim: claim, hostPath } of volumesOf(pod)) {
    const directory = files.get(name)
    if (directory !== undefined) sources.set(name, { type: 'bind', source: directory, readOnly: true })
    else if (claim !== undefined)
      sources.set(name, { type: 'volume', source: claim.claimName, readOnly: claim.readOnly === true })
    else if (hostPath !== undefined) {
      if (hostPath.type === 'DirectoryOrCreate') await mkdir(hostPath.path, { recursive: true })
      sources.set(name, { type: 'bind', source: hostPath.path, readOnly: false })
    } else {
      const source = name.startsWith(prefix) ? name : prefix + name
      const driverOptions = emptyDir?.medium === 'Memory' ? tmpfs(emptyDir.sizeLimit) : {}
      sources.set(name, { type: 'volume', source, readOnly: false, emptyDir: { driverOptions } })
    }
  }
  return sources
}

export function toMount(source: Source, { mountPath, readOnly, subPath }: PodMount) {
  const base = { Target: mountPath, ReadOnly: source.readOnly || readOnly === true }
  if (source.type === 'bind')
    return { ...base, Type: 'bind', Source: join(source.source, subPath ?? '') } as const
  // because Docker would copy what the image has there into an empty volume, and Kubernetes does not
  const VolumeOptions = { NoCopy: true } as Docker.MountSettings['VolumeOptions'] & object
  return { ...base, Type: 'volume', Source: source.source, VolumeOptions } as const
}

function tmpfs(sizeLimit: string | number | undefined): Record<string, string> {
  const bytes = parseQuantity(sizeLimit)
  return { type: 'tmpfs', device: 'tmpfs', ...(bytes === undefined ? {} : { o: `size=${Math.ceil(bytes)}` }) }
}

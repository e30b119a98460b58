import { parseQuantity } from '../../parts/index.ts'
import { initContainersOf } from '../../pod-fields.ts'
import type { PodContainer, PodDocument } from '../../types.ts'
import { podmanError } from '../podman-error.ts'

interface Volume extends Readonly<Record<string, unknown>> {
  readonly name: string
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string | number }
  readonly secret?: unknown
  readonly configMap?: unknown
}

interface Port extends Readonly<Record<string, unknown>> {
  readonly hostPort?: number
  readonly hostIP?: string
}

interface Mount extends Readonly<Record<string, unknown>> {
  readonly name: string
}

/** A volume that lives as long as the workload. */
export interface ScratchVolume {
  /** The name in Podman, unique on the engine. */
  readonly name: string
  /** Options of the volume driver: a tmpfs for `medium: Memory`. */
  readonly driverOptions: Record<string, string>
}

const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe']

/** @throws RuntimeError POD_REFUSED for what Podman would crash on, ignore to somebody's harm, or do differently */
export function assertPodmanCanRun(pod: PodDocument, fileVolumes: ReadonlySet<string> = new Set()): void {
  const { name } = pod.metadata
  const refuse = (message: string) => {
    throw podmanError('POD_REFUSED', `podman cannot run pod "${name}": ${message}`, { workloadId: name })
  }
  if (pod.spec.containers.length === 0) refuse('it needs at least one container')
  for (const volume of volumesOf(pod))
    if (!fileVolumes.has(volume.name) && (volume.secret !== undefined || volume.configMap !== undefined))
      refuse(`volume "${volume.name}" must come as files, podman's own secrets and config maps are not used`)
  for (const { name: container, env } of [...initContainersOf(pod), ...pod.spec.containers])
    for (const entry of (env as { name: string; valueFrom?: object }[] | undefined) ?? [])
      if (
        entry.valueFrom !== undefined &&
        ('secretKeyRef' in entry.valueFrom || 'configMapKeyRef' in entry.valueFrom)
      )
        refuse(`variable ${entry.name} of container "${container}" must come as a value`)
  if (pod.spec.hostPID === true) refuse('it asks for hostPID, which podman would silently ignore')
}

/** emptyDir volumes of a pod under their names in Podman, which are unique because the workload ID is. */
export function planScratchVolumes(pod: PodDocument): Map<string, ScratchVolume> {
  const prefix = `${pod.metadata.name}-`
  const planned = volumesOf(pod).filter(({ emptyDir }) => emptyDir !== undefined)
  return new Map(
    planned.map(({ name, emptyDir }) => [
      name,
      {
        name: name.startsWith(prefix) ? name : prefix + name,
        driverOptions: emptyDir?.medium === 'Memory' ? tmpfs(emptyDir.sizeLimit) : {}
      }
    ])
  )
}

/**
 * The pod as Podman must see it. Names of scratch volumes are made unique (because Podman shares an emptyDir among all pods that
 * use the name), file volumes become read-only host paths, ports without a host port go (because Podman would publish them on
 * 0.0.0.0), probes go (the node probes), images are never pulled here (that has been done), and nothing restarts (the node does,
 * because Podman has no back-off).
 */
export function toPodmanPod(
  pod: PodDocument,
  parts: {
    readonly labels: Readonly<Record<string, string>>
    readonly files: ReadonlyMap<string, string>
    readonly scratch: ReadonlyMap<string, ScratchVolume>
    /** Images under the names that Podman knows them by, where these differ. */
    readonly images: ReadonlyMap<string, string>
  }
): PodDocument {
  const { labels, files, scratch, images } = parts
  const volumes = volumesOf(pod).map((volume) => {
    const path = files.get(volume.name)
    if (path !== undefined) return { name: volume.name, hostPath: { path, type: 'Directory' } }
    const own = scratch.get(volume.name)
    return own === undefined ? volume : { name: volume.name, persistentVolumeClaim: { claimName: own.name } }
  })
  const toContainer = (container: PodContainer): PodContainer => {
    const kept = Object.fromEntries(Object.entries(container).filter(([field]) => !PROBES.includes(field)))
    const mounts = ((container.volumeMounts as readonly Mount[] | undefined) ?? []).map((mount) =>
      files.has(mount.name) ? { ...mount, readOnly: true } : mount
    )
    const written = (container.ports as readonly Port[] | undefined) ?? []
    const ports = pod.spec.hostNetwork === true ? [] : written.flatMap(toPodmanPort)
    return {
      ...kept,
      name: container.name,
      image: images.get(container.image) ?? container.image,
      imagePullPolicy: 'Never',
      volumeMounts: mounts,
      ports
    }
  }
  return {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, ...labels } },
    spec: {
      ...pod.spec,
      restartPolicy: 'Never',
      volumes,
      containers: pod.spec.containers.map(toContainer),
      ...(pod.spec.initContainers === undefined
        ? {}
        : { initContainers: initContainersOf(pod).map(toContainer) })
    }
  }
}

/** Nothing without a host port; and "every address" unsaid, because said as 0.0.0.0 netavark 1.4 writes a rule that no packet meets. */
function toPodmanPort({ hostIP, ...port }: Port): Port[] {
  if (port.hostPort === undefined || port.hostPort === 0) return []
  return [hostIP === undefined || hostIP === '0.0.0.0' || hostIP === '::' ? port : { ...port, hostIP }]
}

function volumesOf(pod: PodDocument): readonly Volume[] {
  return (pod.spec.volumes as readonly Volume[] | undefined) ?? []
}

const PAGE_BYTES = 4096

/** A size in pages, because Podman 4.3 takes "size" for a disk quota and refuses: "Filesystem does not support Project Quota". */
function tmpfs(sizeLimit: string | number | undefined): Record<string, string> {
  const bytes = parseQuantity(sizeLimit)
  const limit: Record<string, string> =
    bytes === undefined ? {} : { o: `nr_blocks=${Math.ceil(bytes / PAGE_BYTES)}` }
  return { type: 'tmpfs', device: 'tmpfs', ...limit }
}

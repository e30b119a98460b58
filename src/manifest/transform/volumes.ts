import { DEFAULT_CONFIG_MAP_MODE, DEFAULT_SECRET_MODE } from '../constants.ts'
import { configData } from '../objects/config-data.ts'
import { type Container, findConfig, type PodSpec, type Volume } from '../objects/kube.ts'
import { parseMemoryBytes } from '../objects/quantity.ts'
import { claimVolume } from '../plans/claims.ts'
import type { FileVolume, Manifest, ManifestClaim, ToPodOptions } from '../types.ts'

type Owner = { readonly uid: number; readonly gid: number } | undefined

type PodVolume =
  | { readonly name: string; readonly emptyDir: Readonly<Record<string, string>> }
  | { readonly name: string; readonly persistentVolumeClaim: { readonly claimName: string } }

export interface TransformedVolumes {
  /** For `spec.volumes`: emptyDirs and claims; emptyDirs that `files` names are placeholders, which the engine replaces. */
  readonly volumes: readonly PodVolume[]
  readonly files: readonly FileVolume[]
  /** volumeMounts of one container under the new names; undefined when it has none. */
  readonly mountsOf: (container: Container) => readonly Readonly<Record<string, unknown>>[] | undefined
}

/**
 * Volumes under names that are unique on the machine, because Podman makes an emptyDir a named volume called just
 * like the volume and shares it between all pods that use that name. ConfigMaps and Secrets become files; containers
 * that run as different users each get their own copy, because tight modes let only the owner read.
 */
export function transformVolumes(
  manifest: Manifest,
  spec: PodSpec,
  { workloadId, ordinal, claimPrefix }: Pick<ToPodOptions, 'workloadId' | 'ordinal' | 'claimPrefix'>
): TransformedVolumes {
  const containers = [...(spec.initContainers ?? []), ...spec.containers]
  const volumes: PodVolume[] = []
  const files: FileVolume[] = []
  const nameFor = new Map<string, string>()
  const key = (volume: string, owner: Owner) => `${volume} ${ownerText(owner)}`

  // because each user gets a name of its own below, one volume for all is entered under every one of them
  const forAll = (volume: string, name: string) => {
    for (const container of containers) nameFor.set(key(volume, ownerOf(spec, container)), name)
  }
  const addClaim = (volume: string, claim: ManifestClaim | undefined) => {
    if (claim === undefined) return
    const claimName = claimVolume(claim, { claimPrefix, ordinal })
    volumes.push({ name: `${workloadId}-${volume}`, persistentVolumeClaim: { claimName } })
    forAll(volume, `${workloadId}-${volume}`)
  }
  for (const claim of manifest.claims) if (claim.perOrdinal) addClaim(claim.name, claim)
  for (const volume of spec.volumes ?? []) {
    const name = `${workloadId}-${volume.name}`
    const { persistentVolumeClaim } = volume
    if (persistentVolumeClaim !== undefined) {
      const isNamed = (one: ManifestClaim) => !one.perOrdinal && one.name === persistentVolumeClaim.claimName
      addClaim(volume.name, manifest.claims.find(isNamed))
      continue
    }
    if (volume.configMap === undefined && volume.secret === undefined) {
      volumes.push({ name, emptyDir: scratchOf(volume) })
      forAll(volume.name, name)
      continue
    }
    const content = filesOf(manifest, volume)
    const users = containers.filter((one) => one.volumeMounts?.some((mount) => mount.name === volume.name))
    const owners = new Map(users.map((one) => [ownerText(ownerOf(spec, one)), ownerOf(spec, one)]))
    for (const [index, owner] of [...owners.values()].entries()) {
      const copy = index === 0 ? name : `${name}.${ownerText(owner)}`
      volumes.push({ name: copy, emptyDir: {} })
      files.push({ volume: copy, files: content, ...(owner === undefined ? {} : { owner }) })
      nameFor.set(key(volume.name, owner), copy)
    }
  }

  const isReadOnly = (name: string) =>
    spec.volumes?.some(
      (one) => one.name === name && (one.configMap ?? one.secret ?? one.persistentVolumeClaim?.readOnly)
    )
  return {
    volumes,
    files,
    mountsOf: (container) =>
      container.volumeMounts?.map(({ name, mountPath, readOnly }) => ({
        name: nameFor.get(key(name, ownerOf(spec, container))),
        mountPath,
        ...(isReadOnly(name) ? { readOnly: true } : readOnly === undefined ? {} : { readOnly })
      }))
  }
}

function scratchOf({ emptyDir }: Volume): Record<string, string> {
  if (emptyDir?.medium !== 'Memory') return {}
  const bytes = emptyDir.sizeLimit === undefined ? undefined : parseMemoryBytes(emptyDir.sizeLimit)
  return { medium: 'Memory', ...(bytes === undefined ? {} : { sizeLimit: String(bytes) }) }
}

function ownerOf(spec: PodSpec, container: Container): Owner {
  const uid = container.securityContext?.runAsUser ?? spec.securityContext?.runAsUser
  const gid = container.securityContext?.runAsGroup ?? spec.securityContext?.runAsGroup
  return uid === undefined ? undefined : { uid, gid: gid ?? 0 }
}

function ownerText(owner: Owner): string {
  return owner === undefined ? 'root' : `${owner.uid}-${owner.gid}`
}

function filesOf(manifest: Manifest, { configMap, secret }: Volume): FileVolume['files'] {
  const source = configMap ?? secret
  const object =
    configMap === undefined
      ? findConfig(manifest.objects, 'Secret', secret?.secretName ?? '')
      : findConfig(manifest.objects, 'ConfigMap', configMap.name)
  if (object === undefined) return []
  const content = configData(object)
  const defaultMode =
    source?.defaultMode ?? (secret === undefined ? DEFAULT_CONFIG_MAP_MODE : DEFAULT_SECRET_MODE)
  const items =
    source?.items ?? [...content.keys()].map((name) => ({ key: name, path: name, mode: undefined }))
  return items.flatMap(({ key, path, mode }) => {
    const bytes = content.get(key)
    return bytes === undefined ? [] : [{ path, content: bytes, mode: mode ?? defaultMode }]
  })
}

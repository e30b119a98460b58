import { ManifestError } from '../errors.ts'
import { claimTemplatesOf, type PersistentVolumeClaim, podTemplateOf } from '../objects/kube.ts'
import { parseMemoryBytes } from '../objects/quantity.ts'
import type { KubeObject, Manifest, ManifestClaim } from '../types.ts'

const CLAIM_PREFIX = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/

/** The lasting volumes of a validated workload and the PersistentVolumeClaims it uses, ordered as they are mounted. */
export function claimsOf([workload, ...others]: readonly [KubeObject, ...KubeObject[]]): ManifestClaim[] {
  const used = new Set(
    (podTemplateOf(workload).spec.volumes ?? []).map((one) => one.persistentVolumeClaim?.claimName)
  )
  const documents = others.filter(
    ({ kind, metadata }) => kind === 'PersistentVolumeClaim' && used.has(metadata.name)
  )
  return [
    ...claimTemplatesOf(workload).map((one) => toClaim(one, true)),
    ...documents.map((one) => toClaim(one as unknown as PersistentVolumeClaim, false))
  ]
}

function toClaim({ metadata, spec }: PersistentVolumeClaim, perOrdinal: boolean): ManifestClaim {
  const storage = spec.resources?.requests?.storage
  return {
    name: metadata.name,
    perOrdinal,
    sizeBytes: storage === undefined ? 0 : (parseMemoryBytes(storage) ?? 0)
  }
}

/**
 * Name of a lasting volume on the engine: `<prefix>-<claim>`, with the ordinal where each has its own. It does not
 * depend on version or node, so a newer version of the manifest finds the data of the last.
 * @throws ManifestError MANIFEST_ARGUMENT for a prefix that is no DNS label
 */
export function claimVolume(
  { name, perOrdinal }: ManifestClaim,
  { claimPrefix, ordinal }: { readonly claimPrefix: string | undefined; readonly ordinal: number }
): string {
  if (claimPrefix === undefined || !CLAIM_PREFIX.test(claimPrefix))
    throw new ManifestError(
      'MANIFEST_ARGUMENT',
      'a manifest with claims needs a claimPrefix: a DNS label of at most 63 characters'
    )
  return perOrdinal ? `${claimPrefix}-${name}-${ordinal}` : `${claimPrefix}-${name}`
}

/** Every lasting volume of one copy, to be kept on remove, or removed when asked. */
export function claimVolumes(
  { claims }: Pick<Manifest, 'claims'>,
  options: { readonly claimPrefix: string; readonly ordinal: number }
): string[] {
  return claims.map((claim) => claimVolume(claim, options))
}

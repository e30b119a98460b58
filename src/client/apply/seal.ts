import { signObject } from '../../envelope/index.ts'
import { encodeRecord, type SealedKeyInit, type SealedShareInit } from '../../generated/fbs/index.ts'
import { deriveSecret, type SigningKey } from '../../identity/index.ts'
import {
  canonicalAutoscale,
  canonicalBytes,
  canonicalRules,
  type Manifest,
  type ManifestName,
  manifestId,
  manifestSalt
} from '../../manifest/index.ts'
import type { NodeView } from '../../members/index.ts'
import { encryptManifest, sealContentKey, signingKeyOfFacts, splitContentKey } from '../../sealing/index.ts'

/** How long a record is good for. Chosen: a year; renewal comes with keepers. */
export const RECORD_LIFETIME_MS = 365 * 24 * 60 * 60 * 1000
/** A tombstone outlives every record of the manifest that could still be around. */
export const TOMBSTONE_LIFETIME_MS = RECORD_LIFETIME_MS

/** The ID of a name in this network, as only its owner can compute it. Uint8Array(36) */
export function idOf(
  key: SigningKey,
  networkId: Uint8Array,
  { namespace, kind, name }: ManifestName
): { id: Uint8Array; salt: Uint8Array } {
  const salt = manifestSalt(deriveSecret(key, 'manifest-salt'), { namespace, kind, name })
  return { id: manifestId({ networkId, owner: key.publicKey, salt, namespace, kind, name }), salt }
}

export interface SealedManifest {
  readonly manifestId: Uint8Array
  readonly record: Uint8Array
  readonly ciphertext: Uint8Array
  readonly sealedKeys: readonly SealedKeyInit[]
  readonly sealedShares: readonly SealedShareInit[]
}

type Recipient = Pick<NodeView, 'publicKey' | 'sealingKey' | 'sealingEpoch'>

/** Encrypts one manifest version with a fresh key, seals the key to each node, and signs the record. */
export async function sealManifest(
  manifest: Manifest,
  {
    key,
    networkId,
    version,
    nodes,
    holders = [],
    threshold = 0,
    recoveryNodes = [],
    fenceKeepers = [],
    nowMs
  }: {
    key: SigningKey
    networkId: Uint8Array
    version: number
    /** That run it, or stand by. */
    nodes: readonly Recipient[]
    /** That hold a share of its content key. @default nobody */
    holders?: readonly Recipient[]
    /** Shares that rebuild it. */
    threshold?: number
    /** The only nodes that may ever be given the key. @default every member */
    recoveryNodes?: readonly Uint8Array[] | undefined
    /** With on-partition stop or fence: of whom a majority lets a copy run. @default nobody is asked */
    fenceKeepers?: readonly Uint8Array[]
    nowMs: number
  }
): Promise<SealedManifest> {
  const { id, salt } = idOf(key, networkId, manifest)
  const about = { networkId, owner: key.publicKey, manifestId: id, version }
  const encrypted = encryptManifest({ ...about, plaintext: canonicalBytes(manifest, salt) })
  const { key: contentKey, commitment } = encrypted
  const sealedKeys: SealedKeyInit[] = []
  for (const { publicKey: recipient, sealingKey: sealingPublicKey, sealingEpoch } of nodes)
    sealedKeys.push({
      recipient,
      sealingEpoch,
      ...(await sealContentKey({ ...about, key: contentKey, commitment, recipient, sealingPublicKey }))
    })
  const shares =
    holders.length === 0
      ? { commitments: [], sealed: [] }
      : await splitContentKey({ ...about, key: contentKey, threshold, holders })
  const clear = clearFields(manifest)
  const factsKey = clear.lifetime === 'service' ? undefined : signingKeyOfFacts(about, contentKey).publicKey
  contentKey.fill(0)
  const body = encodeRecord({
    manifestId: id,
    version,
    issuedAt: nowMs,
    notAfter: nowMs + RECORD_LIFETIME_MS,
    replicas: manifest.replicas,
    cpuMillis: manifest.resources.cpuMillis,
    memoryBytes: manifest.resources.memoryBytes,
    cipher: 'aes256gcm',
    kem: 'xwing',
    plaintextBytes: encrypted.plaintextBytes,
    ciphertextDigest: encrypted.digest,
    keyCommitment: commitment,
    ...clear,
    factsKey,
    shareThreshold: threshold,
    shareHolders: shares.commitments,
    recoveryNodes: recoveryNodes.map((node) => ({ node })),
    fenceKeepers: fenceKeepers.map((node) => ({ node }))
  })
  const record = signObject({ kind: 'record', body, key, networkId })
  return {
    manifestId: id,
    record,
    ciphertext: encrypted.ciphertext,
    sealedKeys,
    sealedShares: shares.sealed
  }
}

/** What keepers must know of a manifest that they cannot read, to bring copies of it back. */
function clearFields({ perNode, resources, engine, placement, recovery, job, cron, autoscale }: Manifest) {
  return {
    lifetime: cron !== undefined ? 'cron' : job !== undefined ? 'job' : 'service',
    perNode,
    storageBytes: resources.storageBytes,
    engine,
    placement: canonicalRules(placement),
    onPartition: recovery.onPartition,
    onNodeLoss: recovery.onNodeLoss,
    autoscale: autoscale && canonicalAutoscale(autoscale)
  } as const
}

/** The owner's word that nothing of a manifest may run any more. */
export function signTombstone(
  id: Uint8Array,
  {
    key,
    networkId,
    version,
    nowMs,
    fenceKeepers
  }: {
    key: SigningKey
    networkId: Uint8Array
    version: number
    nowMs: number
    /** Of the version before: those of the next one, too. */
    fenceKeepers: readonly Uint8Array[]
  }
): Uint8Array {
  const body = encodeRecord({
    manifestId: id,
    version,
    issuedAt: nowMs,
    notAfter: nowMs + TOMBSTONE_LIFETIME_MS,
    tombstone: true,
    fenceKeepers: fenceKeepers.map((node) => ({ node }))
  })
  return signObject({ kind: 'record', body, key, networkId })
}

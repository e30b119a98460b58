import { signObject } from '../envelope/index.ts'
import { encodeRecord, type SealedKeyInit } from '../generated/fbs/index.ts'
import { deriveSecret, type SigningKey } from '../identity/index.ts'
import {
  canonicalBytes,
  type Manifest,
  type ManifestName,
  manifestId,
  manifestSalt
} from '../manifest/index.ts'
import type { NodeView } from '../members/index.ts'
import { encryptManifest, sealContentKey } from '../sealing/index.ts'

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
}

/** Encrypts one manifest version with a fresh key, seals the key to each node, and signs the record. */
export async function sealManifest(
  manifest: Manifest,
  {
    key,
    networkId,
    version,
    nodes,
    nowMs
  }: {
    key: SigningKey
    networkId: Uint8Array
    version: number
    nodes: readonly Pick<NodeView, 'publicKey' | 'sealingKey' | 'sealingEpoch'>[]
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
    keyCommitment: commitment
  })
  const record = signObject({ kind: 'record', body, key, networkId })
  return { manifestId: id, record, ciphertext: encrypted.ciphertext, sealedKeys }
}

/** The owner's word that nothing of a manifest may run any more. */
export function signTombstone(
  id: Uint8Array,
  {
    key,
    networkId,
    version,
    nowMs
  }: { key: SigningKey; networkId: Uint8Array; version: number; nowMs: number }
): Uint8Array {
  const body = encodeRecord({
    manifestId: id,
    version,
    issuedAt: nowMs,
    notAfter: nowMs + TOMBSTONE_LIFETIME_MS,
    tombstone: true
  })
  return signObject({ kind: 'record', body, key, networkId })
}

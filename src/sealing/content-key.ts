import { createHash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { concat, equalBytes, u64be, utf8 } from '../common/index.ts'
import { peerIdMultihash, type SigningKey, signingKeyFromSeed } from '../identity/index.ts'
import { SealingError } from './errors.ts'
import { GCM_KEY_BYTES, GCM_NONCE_BYTES, GCM_TAG_BYTES, gcmDecrypt, gcmEncrypt } from './gcm.ts'
import { openWith, type Sealed, sealTo } from './hpke.ts'
import type { SealingKey } from './sealing-key.ts'

/** Largest manifest, bytes of canonical JSON. Source: ARCHITECTURE.md section 7. */
export const MAX_MANIFEST_BYTES = 64 * 1024
/** Plaintexts are padded to a multiple of this, so that the ciphertext's size says little. Source: crypto.md section 3. */
export const PADDING_BYTES = 1024

const MANIFEST_TAG = utf8('beemesh.v1/manifest\0')
const COMMITMENT_TAG = utf8('beemesh.v1/cek-commit\0')
const FACTS_TAG = utf8('beemesh.v1/facts-key\0')
const WRAP_TAG = utf8('beemesh.v1/cek-wrap\0')
/** Values of the enums Cipher and Kem in fbs/record.fbs. */
const CIPHER_AES256GCM = 1
const KEM_XWING = 1
const MANIFEST_ID_BYTES = 36

/** Which manifest version of which owner. */
export interface ManifestContext {
  /** Uint8Array(32) */
  readonly networkId: Uint8Array
  /** Uint8Array(32), the owner's public key. */
  readonly owner: Uint8Array
  /** Uint8Array(36) */
  readonly manifestId: Uint8Array
  /** u64, up to 2^53 - 1 */
  readonly version: number
}

export interface EncryptedManifest {
  /** Uint8Array(32), the content key. Secret: seal it, then forget it with `fill(0)`. */
  readonly key: Uint8Array
  /** nonce (12), ciphertext of the padded plaintext, tag (16) */
  readonly ciphertext: Uint8Array
  /** Uint8Array(32), see {@link keyCommitment}. */
  readonly commitment: Uint8Array
  /** sha256 of `ciphertext`, Uint8Array(32) */
  readonly digest: Uint8Array
  /** Length before padding. */
  readonly plaintextBytes: number
}

/**
 * Encrypts one manifest version with a key of its own.
 * @param options.key, options.nonce fixed values for golden vectors; never otherwise. @default random
 * @throws SealingError PLAINTEXT_TOO_LARGE
 */
export function encryptManifest(
  options: ManifestContext & {
    readonly plaintext: Uint8Array
    readonly key?: Uint8Array
    readonly nonce?: Uint8Array
  }
): EncryptedManifest {
  const { plaintext } = options
  const plaintextBytes = plaintext.byteLength
  if (plaintextBytes > MAX_MANIFEST_BYTES)
    throw new SealingError(
      'PLAINTEXT_TOO_LARGE',
      `the manifest has ${plaintextBytes} bytes, at most ${MAX_MANIFEST_BYTES} are allowed`,
      {
        details: { expected: MAX_MANIFEST_BYTES, got: plaintextBytes }
      }
    )
  const key = options.key ?? new Uint8Array(randomBytes(GCM_KEY_BYTES))
  const nonce = options.nonce ?? randomBytes(GCM_NONCE_BYTES)
  const padded = new Uint8Array(paddedBytes(plaintextBytes))
  padded.set(plaintext)
  const ciphertext = concat(
    nonce,
    gcmEncrypt({ key, nonce, aad: manifestAad(options, plaintextBytes) }, padded)
  )
  padded.fill(0)
  return {
    key,
    ciphertext,
    commitment: keyCommitment(options, key),
    digest: sha256(ciphertext),
    plaintextBytes
  }
}

/**
 * The plaintext, after everything the record promises of it was checked.
 * @param options.plaintextBytes, options.digest, options.commitment from the signed record
 * @throws SealingError CIPHERTEXT_DIGEST_MISMATCH, KEY_COMMITMENT_MISMATCH, CIPHERTEXT_INVALID
 */
export function decryptManifest(
  options: ManifestContext & Omit<EncryptedManifest, 'key'> & { readonly key: Uint8Array }
): Uint8Array {
  const { ciphertext, key, plaintextBytes, digest, commitment } = options
  if (!equalBytes(sha256(ciphertext), digest))
    throw new SealingError('CIPHERTEXT_DIGEST_MISMATCH', 'the ciphertext is not the one the record names')
  assertCommitment(options, key, commitment)
  const expected = GCM_NONCE_BYTES + paddedBytes(plaintextBytes) + GCM_TAG_BYTES
  if (plaintextBytes > MAX_MANIFEST_BYTES || ciphertext.byteLength !== expected)
    throw new SealingError(
      'CIPHERTEXT_INVALID',
      `the ciphertext has ${ciphertext.byteLength} bytes, expected ${expected}`
    )
  const padded = gcmDecrypt(
    { key, nonce: ciphertext.subarray(0, GCM_NONCE_BYTES), aad: manifestAad(options, plaintextBytes) },
    ciphertext.subarray(GCM_NONCE_BYTES)
  )
  if (padded === undefined)
    throw new SealingError(
      'CIPHERTEXT_INVALID',
      'the ciphertext does not belong to this key, owner, manifest and version'
    )
  if (padded.subarray(plaintextBytes).some((byte) => byte !== 0))
    throw new SealingError('CIPHERTEXT_INVALID', 'the padding of the plaintext is not zero')
  const plaintext = padded.slice(0, plaintextBytes)
  padded.fill(0)
  return plaintext
}

/** sha256 of tag, manifest ID, u64 version and key, Uint8Array(32): GCM alone lets one ciphertext open under two keys. */
export function keyCommitment(manifest: ManifestContext, key: Uint8Array): Uint8Array {
  assertManifestId(manifest.manifestId)
  return sha256(COMMITMENT_TAG, manifest.manifestId, u64be(manifest.version), key)
}

/**
 * What whoever can read a manifest version signs with, beside its own key, what it has done of it: an Ed25519 key whose seed is HKDF-SHA256
 * of the content key. Its public half stands in the record of a Job or CronJob, so that keepers can check it, who have no content key.
 */
export function signingKeyOfFacts(
  { manifestId, version }: Pick<ManifestContext, 'manifestId' | 'version'>,
  contentKey: Uint8Array
): SigningKey {
  assertManifestId(manifestId)
  const info = concat(FACTS_TAG, manifestId, u64be(version))
  return signingKeyFromSeed(
    new Uint8Array(hkdfSync('sha256', contentKey, new Uint8Array(0), info, GCM_KEY_BYTES))
  )
}

/** Seals the content key to one node. @throws SealingError SEALING_KEY_INVALID */
export async function sealContentKey(
  options: ManifestContext & {
    readonly key: Uint8Array
    readonly commitment: Uint8Array
    /** Uint8Array(32), the node's identity. */
    readonly recipient: Uint8Array
    /** Uint8Array(1216), the node's sealing key. */
    readonly sealingPublicKey: Uint8Array
  }
): Promise<Sealed> {
  return sealTo(options.sealingPublicKey, { ...wrapBinding(options), plaintext: options.key })
}

/**
 * The content key, Uint8Array(32), checked against the commitment.
 * @param options.recipient Uint8Array(32), the identity of the node that opens
 * @throws SealingError OPEN_FAILED, KEY_COMMITMENT_MISMATCH
 */
export async function openContentKey(
  options: ManifestContext &
    Sealed & {
      readonly sealingKey: SealingKey
      readonly recipient: Uint8Array
      readonly commitment: Uint8Array
    }
): Promise<Uint8Array> {
  const { enc, ciphertext, sealingKey, commitment } = options
  const key = await openWith(sealingKey, { ...wrapBinding(options), enc, ciphertext })
  assertCommitment(options, key, commitment)
  return key
}

function wrapBinding(
  options: ManifestContext & { readonly recipient: Uint8Array; readonly commitment: Uint8Array }
): { info: Uint8Array; aad: Uint8Array } {
  const { networkId, owner, recipient, manifestId, version, commitment } = options
  assertManifestId(manifestId)
  return {
    info: concat(WRAP_TAG, networkId, owner, peerIdMultihash(recipient)),
    aad: concat(manifestId, u64be(version), commitment)
  }
}

function assertCommitment(manifest: ManifestContext, key: Uint8Array, commitment: Uint8Array): void {
  const expected = keyCommitment(manifest, key)
  const same =
    key.byteLength === GCM_KEY_BYTES &&
    commitment.byteLength === expected.byteLength &&
    timingSafeEqual(expected, commitment)
  if (!same)
    throw new SealingError(
      'KEY_COMMITMENT_MISMATCH',
      'the content key is not the one the owner committed to in the record'
    )
}

function manifestAad(manifest: ManifestContext, plaintextBytes: number): Uint8Array {
  const { networkId, owner, manifestId, version } = manifest
  assertManifestId(manifestId)
  const tail = new Uint8Array(6)
  tail[0] = CIPHER_AES256GCM
  tail[1] = KEM_XWING
  new DataView(tail.buffer).setUint32(2, plaintextBytes)
  return concat(MANIFEST_TAG, networkId, owner, manifestId, u64be(version), tail)
}

function paddedBytes(plaintextBytes: number): number {
  return Math.max(1, Math.ceil(plaintextBytes / PADDING_BYTES)) * PADDING_BYTES
}

function assertManifestId(manifestId: Uint8Array): void {
  if (manifestId.byteLength !== MANIFEST_ID_BYTES)
    throw new SealingError(
      'CIPHERTEXT_INVALID',
      `a manifest ID has ${MANIFEST_ID_BYTES} bytes, got ${manifestId.byteLength}`
    )
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

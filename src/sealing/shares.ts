import { createHash } from 'node:crypto'
import { combine, split } from 'shamir-secret-sharing'
import { concat, equalBytes, u64be, utf8 } from '../common/index.ts'
import { peerIdMultihash } from '../identity/index.ts'
import { keyCommitment, type ManifestContext } from './content-key.ts'
import { SealingError } from './errors.ts'
import { openWith, type Sealed, sealTo } from './hpke.ts'
import type { SealingKey } from './sealing-key.ts'

/** A share of a 32-byte key: 32 bytes, and where on the polynomial it lies. Source: shamir-secret-sharing 0.0.4. */
export const SHARE_BYTES = 33
/** Most shares of one key. Source: facts on limits, 2026-11-20. */
export const MAX_SHARES = 16

const COMMIT_TAG = utf8('beemesh.v1/share-commit\0')
const WRAP_TAG = utf8('beemesh.v1/share-wrap\0')

/** Who is to hold a share. */
export interface ShareRecipient {
  /** Uint8Array(32), the holder's identity. */
  readonly publicKey: Uint8Array
  /** Uint8Array(1216) */
  readonly sealingKey: Uint8Array
  readonly sealingEpoch: number
}

/** What the owner signs of one share. */
export interface ShareCommitment {
  /** 1 to n */
  readonly index: number
  /** Uint8Array(32), the holder's identity. */
  readonly node: Uint8Array
  /** Uint8Array(32), see {@link shareCommitment}. */
  readonly commitment: Uint8Array
}

/** One share on its way to its holder, or kept by it. */
export interface SealedShare extends Sealed {
  readonly index: number
  readonly recipient: Uint8Array
  readonly sealingEpoch: number
}

/** A share that was opened. Secret. */
export interface OpenShare {
  readonly index: number
  /** Uint8Array(33) */
  readonly share: Uint8Array
}

/**
 * Splits a content key into as many shares as there are holders, of which `threshold` rebuild it and fewer say nothing, and seals each to
 * its holder.
 * @param options.threshold at least 2, at most the number of holders
 * @throws SealingError SHARE_INVALID, SEALING_KEY_INVALID
 */
export async function splitContentKey(
  options: ManifestContext & {
    readonly key: Uint8Array
    readonly threshold: number
    readonly holders: readonly ShareRecipient[]
  }
): Promise<{ readonly commitments: ShareCommitment[]; readonly sealed: SealedShare[] }> {
  const { key, threshold, holders } = options
  if (threshold < 2 || threshold > holders.length || holders.length > MAX_SHARES)
    throw new SealingError(
      'SHARE_INVALID',
      `${threshold} of ${holders.length} shares: 2 to ${MAX_SHARES} holders, and at least 2 shares to rebuild`
    )
  const shares = await split(Uint8Array.from(key), holders.length, threshold)
  const commitments: ShareCommitment[] = []
  const sealed: SealedShare[] = []
  for (const [position, { publicKey: node, sealingKey, sealingEpoch }] of holders.entries()) {
    const index = position + 1
    const share = shares[position]!
    commitments.push({ index, node, commitment: shareCommitment(options, { index, share }) })
    const about = shareBinding(options, { index, recipient: node })
    sealed.push({
      index,
      recipient: node,
      sealingEpoch,
      ...(await sealTo(sealingKey, { ...about, plaintext: share }))
    })
    share.fill(0)
  }
  return { commitments, sealed }
}

/** sha256 of tag, manifest ID, u64 version, index and share, Uint8Array(32). */
export function shareCommitment(manifest: ManifestContext, { index, share }: OpenShare): Uint8Array {
  const hash = createHash('sha256').update(COMMIT_TAG).update(manifest.manifestId)
  return new Uint8Array(
    hash.update(u64be(manifest.version)).update(Uint8Array.of(index)).update(share).digest()
  )
}

/** A holder opens its share. @throws SealingError OPEN_FAILED, SHARE_INVALID when it is not what the owner committed to */
export async function openShare(
  options: ManifestContext & {
    readonly sealed: SealedShare
    readonly commitment: ShareCommitment
    readonly sealingKey: SealingKey
  }
): Promise<OpenShare> {
  const { sealed, commitment, sealingKey } = options
  const about = shareBinding(options, sealed)
  const share = await openWith(sealingKey, { ...about, ...sealed })
  const opened = { index: sealed.index, share }
  assertShare(options, opened, commitment)
  return opened
}

/** The same share for a key of the same holder that takes the place of an older one. */
export async function resealShare(
  options: ManifestContext & {
    readonly sealed: SealedShare
    readonly commitment: ShareCommitment
    readonly from: SealingKey
    readonly to: SealingKey
  }
): Promise<SealedShare> {
  const { sealed, from, to } = options
  const { index, share } = await openShare({ ...options, sealingKey: from })
  const { recipient } = sealed
  const again = await sealTo(to.publicKey, { ...shareBinding(options, sealed), plaintext: share })
  share.fill(0)
  return { index, recipient, sealingEpoch: to.epoch, ...again }
}

/** @throws SealingError SHARE_INVALID */
export function assertShare(
  manifest: ManifestContext,
  opened: OpenShare,
  { index, commitment }: ShareCommitment
): void {
  const { share } = opened
  // because a share at 0 would be the key itself, whoever made it
  const isShare = share.byteLength === SHARE_BYTES && share[SHARE_BYTES - 1] !== 0
  if (opened.index !== index || !isShare || !equalBytes(shareCommitment(manifest, opened), commitment))
    throw new SealingError('SHARE_INVALID', `share ${index} is not the one the owner committed to`)
}

/**
 * The content key, Uint8Array(32), from shares that were each checked with {@link assertShare}.
 * @param options.commitment of the key, from the record
 * @throws SealingError SHARE_INVALID when they are too few or do not belong together
 */
export async function combineShares(
  options: ManifestContext & {
    readonly shares: readonly OpenShare[]
    readonly threshold: number
    readonly commitment: Uint8Array
  }
): Promise<Uint8Array> {
  const { threshold, commitment } = options
  const shares = [...new Map(options.shares.map((one) => [one.share[SHARE_BYTES - 1], one])).values()]
  if (shares.length < Math.max(2, threshold))
    throw new SealingError('SHARE_INVALID', `${shares.length} shares, ${threshold} rebuild the key`)
  const used = shares.slice(0, threshold).map(({ share }) => Uint8Array.from(share))
  const key = await combine(used)
  for (const share of used) share.fill(0)
  if (!equalBytes(keyCommitment(options, key), commitment))
    throw new SealingError('SHARE_INVALID', 'these shares rebuild another key than the record names')
  return key
}

function shareBinding(
  { networkId, owner, manifestId, version }: ManifestContext,
  { index, recipient }: { readonly index: number; readonly recipient: Uint8Array }
): { info: Uint8Array; aad: Uint8Array } {
  return {
    info: concat(WRAP_TAG, networkId, owner, peerIdMultihash(recipient)),
    aad: concat(manifestId, u64be(version), Uint8Array.of(index))
  }
}

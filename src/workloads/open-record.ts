import { createHash } from 'node:crypto'
import { equalBytes } from '../common/index.ts'
import { decode, openObject } from '../envelope/index.ts'
import { RECORD, type Record as RecordBody, type SealedKey } from '../generated/fbs/index.ts'
import {
  manifestId as computeManifestId,
  MAX_REPLICAS,
  type Manifest,
  parseCanonical
} from '../manifest/index.ts'
import {
  decryptManifest,
  openContentKey,
  type SealingKey,
  type SealingKeys,
  signingKeyOfFacts
} from '../sealing/index.ts'
import { WorkloadsError } from './errors.ts'

export interface OpenedRecord extends RecordBody {
  /** sha256 of the record's body. */
  readonly digest: Uint8Array
}

/**
 * Checks an owner's record: signed by the author of the request, not over.
 * @throws EnvelopeError; WorkloadsError RECORD_INVALID, RECORD_EXPIRED
 */
export function openRecord(
  bytes: Uint8Array,
  {
    author,
    networkId,
    nowMs,
    tombstone
  }: { author: Uint8Array; networkId: Uint8Array; nowMs: number; tombstone: boolean }
): OpenedRecord {
  const { author: signer, body } = openObject(bytes, { kind: 'record', networkId })
  const record = decode(RECORD, body)
  if (!equalBytes(signer, author))
    throw new WorkloadsError('RECORD_INVALID', 'the record is signed by somebody else than the request')
  if (record.tombstone !== tombstone)
    throw new WorkloadsError(
      'RECORD_INVALID',
      tombstone ? 'the record is no tombstone' : 'the record is a tombstone'
    )
  if (record.notAfter <= nowMs)
    throw new WorkloadsError('RECORD_EXPIRED', 'the record is over', {
      details: { notAfter: record.notAfter }
    })
  assertSound(record)
  return { ...record, digest: new Uint8Array(createHash('sha256').update(body).digest()) }
}

/**
 * What of a record must hold whoever signed it, because those who keep it cannot compare it with the manifest.
 * @throws WorkloadsError RECORD_INVALID
 */
export function assertSound({ tombstone, lifetime, factsKey, replicas }: RecordBody): void {
  if (tombstone) return
  // because copies are counted one by one, by nodes that look at all their manifests every few seconds
  if (replicas > MAX_REPLICAS)
    throw new WorkloadsError(
      'RECORD_INVALID',
      `a manifest has at most ${MAX_REPLICAS} copies, not ${replicas}`
    )
  // because without it nobody could say that a Job is done, and be believed
  if (lifetime !== 'service' && factsKey === undefined)
    throw new WorkloadsError(
      'RECORD_INVALID',
      'the record of a Job or CronJob names no key for what is done',
      {
        hint: 'Apply it with this version of beemesh.'
      }
    )
}

export interface Content {
  readonly ciphertext: Uint8Array
  readonly sealedKey: SealedKey
}

export interface OpenedContent {
  readonly manifest: Manifest
  /** sha256 of the decrypted document. */
  readonly digest: Uint8Array
  /** Its size. */
  readonly bytes: number
}

/**
 * Opens the key that was sealed to this node, decrypts the manifest, and checks it again as if nobody had: it must be what
 * the record says it is.
 * @param context.sealingKey with several, the one whose epoch the sealed key names
 * @throws SealingError, ManifestError, WorkloadsError RECORD_INVALID
 */
export async function openContent(
  record: RecordBody,
  { ciphertext, sealedKey }: Content,
  context: OpeningContext
): Promise<OpenedContent> {
  const { owner, networkId } = context
  const key = await openKey(record, sealedKey, context)
  const { manifest, salt, plaintext } = openPlaintext(record, { ciphertext, key, owner, networkId })
  const { namespace, kind, name } = manifest
  const id = computeManifestId({ networkId, owner, salt, namespace, kind, name })
  const { replicas, resources, job, cron } = manifest
  if (!equalBytes(id, record.manifestId))
    throw new WorkloadsError('RECORD_INVALID', 'the decrypted manifest has another ID than the record')
  if (
    replicas !== record.replicas ||
    resources.cpuMillis !== record.cpuMillis ||
    resources.memoryBytes !== record.memoryBytes
  )
    throw new WorkloadsError(
      'RECORD_INVALID',
      'the record promises other copies or resources than the manifest'
    )
  if ((record.lifetime === 'service') !== (job === undefined && cron === undefined))
    throw new WorkloadsError('RECORD_INVALID', 'the record promises another lifetime than the manifest')
  if (record.factsKey !== undefined && !equalBytes(record.factsKey, signingKeyOfFacts(record, key).publicKey))
    throw new WorkloadsError(
      'RECORD_INVALID',
      'the record names another key for what is done than its readers have'
    )
  const bytes = plaintext.byteLength
  return { manifest, bytes, digest: new Uint8Array(createHash('sha256').update(plaintext).digest()) }
}

/** Who opens, for whom. */
export interface OpeningContext {
  /** Public key of who signed the record. */
  readonly owner: Uint8Array
  readonly networkId: Uint8Array
  /** Public key of the node that opens. */
  readonly node: Uint8Array
  readonly sealingKey: SealingKey | SealingKeys
}

/** The content key that was sealed to this node, Uint8Array(32). Secret. @throws SealingError; WorkloadsError RECORD_INVALID */
export function openKey(
  record: RecordBody,
  { enc, ciphertext, sealingEpoch }: SealedKey,
  { owner, networkId, node, sealingKey }: OpeningContext
): Promise<Uint8Array> {
  const { manifestId, version } = record
  const { commitment } = promisesOf(record)
  const own = 'of' in sealingKey ? sealingKey.of(sealingEpoch) : sealingKey
  return openContentKey({
    networkId,
    owner,
    manifestId,
    version,
    sealingKey: own,
    commitment,
    recipient: node,
    enc,
    ciphertext
  })
}

function openPlaintext(
  record: RecordBody,
  {
    ciphertext,
    key,
    owner,
    networkId
  }: { ciphertext: Uint8Array; key: Uint8Array; owner: Uint8Array; networkId: Uint8Array }
) {
  const { manifestId, version, plaintextBytes } = record
  const about = { networkId, owner, manifestId, version }
  const plaintext = decryptManifest({ ...about, ...promisesOf(record), key, ciphertext, plaintextBytes })
  return { ...parseCanonical(plaintext), plaintext }
}

/** @throws WorkloadsError RECORD_INVALID */
function promisesOf(record: RecordBody): { commitment: Uint8Array; digest: Uint8Array } {
  const { keyCommitment: commitment, ciphertextDigest: digest, cipher, kem } = record
  if (commitment === undefined || digest === undefined || cipher !== 'aes256gcm' || kem !== 'xwing')
    throw new WorkloadsError('RECORD_INVALID', 'the record names no cipher and key that this node knows')
  return { commitment, digest }
}

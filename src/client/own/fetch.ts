import { type Abortable, equalBytes, toError } from '../../common/index.ts'
import { decode, FETCHED, openObject } from '../../envelope/index.ts'
import { encodeFetchRequest, RECORD, type Record as RecordBody } from '../../generated/fbs/index.ts'
import { formatManifestId, type Manifest, parseCanonical } from '../../manifest/index.ts'
import { decryptManifest } from '../../sealing/index.ts'
import { WireError } from '../../wire/index.ts'
import type { Session, Target } from '../connection/session.ts'
import { ClientError } from '../errors.ts'
import { type HeldManifest, newestOf } from '../holders.ts'

/** A version as its owner signed it, checked. */
export interface OwnVersion {
  readonly record: RecordBody
  /** undefined: the node that was asked cannot read it. */
  readonly manifest?: Manifest
  /** Versions with other content before it, newest first, as the node told. */
  readonly history: readonly RecordBody[]
}

/**
 * What an owner applied, from a node that holds it. Everything is held against the owner's own signature, because a node must not be able
 * to have something else applied in its name.
 * @param options.version 0: the one that runs or is kept there
 */
export async function fetchFrom(
  session: Session,
  target: Target,
  { manifestId, version = 0, signal }: { manifestId: Uint8Array; version?: number } & Abortable
): Promise<OwnVersion> {
  const encode = (replyKey: Uint8Array) => encodeFetchRequest({ manifestId, version, replyKey })
  for await (const body of session.ask(target, 'fetch', encode, { signal })) {
    const { record: bytes, ciphertext, key, history } = decode(FETCHED, body)
    const record = openOwn(session, bytes, manifestId)
    if (version !== 0 && record.version !== version)
      throw new WireError('REPLY_INVALID', `version ${version} was asked for, and ${record.version} came`)
    const manifest =
      ciphertext === undefined || key === undefined ? undefined : open(session, record, { ciphertext, key })
    return { record, manifest, history: history.map((past) => openOwn(session, past.record, manifestId)) }
  }
  throw new WireError('REPLY_INVALID', 'the answer is empty')
}

function openOwn({ key, connection }: Session, bytes: Uint8Array, manifestId: Uint8Array): RecordBody {
  const { author, body } = openObject(bytes, { kind: 'record', networkId: connection.networkId })
  const record = decode(RECORD, body)
  if (!equalBytes(author, key.publicKey) || !equalBytes(record.manifestId, manifestId) || record.tombstone)
    throw new WireError('REPLY_INVALID', 'what came is no version of this manifest that you signed')
  return record
}

function open(
  { key: owner, connection: { networkId } }: Session,
  record: RecordBody,
  { ciphertext, key }: { ciphertext: Uint8Array; key: Uint8Array }
): Manifest {
  const { manifestId, version, plaintextBytes, ciphertextDigest: digest, keyCommitment: commitment } = record
  if (digest === undefined || commitment === undefined)
    throw new WireError('REPLY_INVALID', 'the record names no content')
  const about = { networkId, owner: owner.publicKey, manifestId, version }
  const plaintext = decryptManifest({ ...about, plaintextBytes, digest, commitment, key, ciphertext })
  return parseCanonical(plaintext).manifest
}

/** A version with its content. */
export type ReadVersion = OwnVersion & { readonly manifest: Manifest }

/**
 * The version that runs, from the first node that can read it; where nothing runs, the newest one kept.
 * @throws ClientError NOT_READABLE when no node that answers can
 */
export async function fetchRunning(
  session: Session,
  held: HeldManifest,
  { version = runningVersion(held), signal }: { version?: number } & Abortable = {}
): Promise<ReadVersion> {
  const refused: string[] = []
  for (const { node } of inOrder(held))
    try {
      const { manifest, ...found } = await fetchFrom(session, node, {
        manifestId: held.manifest.manifestId,
        version,
        signal
      })
      if (manifest !== undefined) return { ...found, manifest }
      refused.push(`${node.name} has no key`)
    } catch (error) {
      signal?.throwIfAborted()
      refused.push(`${node.name}: ${toError(error).message}`)
    }
  throw new ClientError(
    'NOT_READABLE',
    `no node can give back version ${version} of it: ${refused.join('; ')}`,
    {
      retryable: true,
      details: { manifestId: held.id },
      hint: 'Apply the file instead, with "beemesh apply -f".'
    }
  )
}

/** The newest that runs anywhere; where nothing runs the newest that is kept. */
export function runningVersion({ holders }: Pick<HeldManifest, 'holders'>): number {
  const running = holders.filter(({ status }) => status.workloads.length > 0)
  return newestOf({ holders: running.length > 0 ? running : holders })
}

/** The clear part, signed by its owner, of the version that runs: anybody who keeps it can give it. */
export async function fetchRecord(
  session: Session,
  held: HeldManifest,
  { signal }: Abortable
): Promise<RecordBody> {
  const { manifestId } = held.manifest
  let failure: unknown
  for (const { node } of inOrder(held))
    try {
      return (await fetchFrom(session, node, { manifestId, signal })).record
    } catch (error) {
      signal?.throwIfAborted()
      failure = error
    }
  throw new ClientError('NOT_READABLE', `no node can tell what ${formatManifestId(manifestId)} asks for`, {
    retryable: true,
    cause: failure
  })
}

/** Those that run it first, the newest version first. */
function inOrder(held: HeldManifest): HeldManifest['holders'] {
  const newest = runningVersion(held)
  const weight = ({ status }: HeldManifest['holders'][number]) =>
    (status.name === '' ? 0 : 2) + (status.version === newest ? 1 : 0)
  return held.holders.toSorted((a, b) => weight(b) - weight(a))
}

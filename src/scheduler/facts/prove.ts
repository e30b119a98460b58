import { concat, equalBytes, utf8 } from '../../common/index.ts'
import { decode, isStrongKey, openObject, signObject, verify, verifyStrict } from '../../envelope/index.ts'
import {
  DONE_STATEMENT,
  encodeDoneStatement,
  encodeProvenDone,
  PROVEN_DONE
} from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import { signingKeyOfFacts } from '../../sealing/index.ts'
import { SchedulerError } from '../errors.ts'
import type { CheckedRecord, World } from '../types.ts'
import { claims, type Fact, type Said } from './fact.ts'

/** A fact is never larger, bytes: 64 copies of about 30 bytes each, and its frames. */
export const MAX_FACT_BYTES = 8 * 1024

const PROOF_TAG = utf8('beemesh.v1/done-proof\0')

/** What of a record says whether a fact about its version is proven. */
export type FactRecord = Pick<CheckedRecord, 'manifestId' | 'version' | 'factsKey'>

/**
 * Signs what this node has done, as itself and with the key that the content key gives.
 * @returns undefined when the manifest cannot be read here any more, so that nothing can be claimed of it
 */
export async function signFact(
  world: Pick<World, 'key' | 'networkId' | 'now' | 'neighbours' | 'workloads'>,
  manifestId: Uint8Array,
  said: Said
): Promise<Uint8Array | undefined> {
  const { key, networkId } = world
  const bootId = world.neighbours().find(({ self }) => self)?.bootId ?? new Uint8Array(16)
  const statement = encodeDoneStatement({ ...said, manifestId, bootId, issuedAt: world.now() })
  verify(DONE_STATEMENT, statement)
  const proof = claims(said)
    ? await prove(world, { manifestId, version: said.version }, statement)
    : undefined
  if (claims(said) && proof === undefined) return undefined
  return signObject({ kind: 'done', body: encodeProvenDone({ statement, proof }), key, networkId })
}

async function prove(
  { key, networkId, workloads }: Pick<World, 'key' | 'networkId' | 'workloads'>,
  about: Pick<FactRecord, 'manifestId' | 'version'>,
  statement: Uint8Array
): Promise<Uint8Array | undefined> {
  const contentKey = await workloads.contentKeyOf(about.manifestId, about.version)
  if (contentKey === undefined) return undefined
  const proof = signingKeyOfFacts(about, contentKey).sign(provenBytes(networkId, key.publicKey, statement))
  contentKey.fill(0)
  return proof
}

/**
 * Opens a fact. Its author must have been able to read the manifest: who never held the content key claims nothing. What this node itself
 * signed needs no proof. Who proves it is believed also when nobody here has heard of it, because what a node did that is gone for good is
 * not to be done again; who was expelled is not.
 * @param records of the manifest, checked, of one owner
 * @returns undefined when it is of another manifest or version than these records, or of somebody whose word does not count
 * @throws EnvelopeError; SchedulerError NOT_ALLOWED when it is too large or not proven
 */
export function openFact(
  bytes: Uint8Array,
  world: Pick<World, 'key' | 'networkId' | 'isMember' | 'isExpelled'>,
  records: readonly FactRecord[]
): Fact | undefined {
  if (bytes.byteLength > MAX_FACT_BYTES)
    throw new SchedulerError('NOT_ALLOWED', `what is done is told in at most ${MAX_FACT_BYTES} bytes`)
  const { networkId } = world
  const { author: publicKey, body } = openObject(bytes, { kind: 'done', networkId })
  const author = peerIdFromPublicKey(publicKey)
  if (world.isExpelled?.(author)) return undefined
  const { statement, proof } = decode(PROVEN_DONE, body)
  const fact = { ...decode(DONE_STATEMENT, statement), author, bytes }
  if (author === world.key.peerId) return fact
  const record = records.find(
    ({ manifestId, version }) => version === fact.version && equalBytes(manifestId, fact.manifestId)
  )
  if (record === undefined) return undefined
  // it takes back what nobody here has, and there is no end of strangers
  if (!claims(fact)) return world.isMember(author) ? fact : undefined
  const isProven =
    record.factsKey !== undefined &&
    proof !== undefined &&
    isStrongKey(record.factsKey) &&
    verifyStrict(record.factsKey, provenBytes(networkId, publicKey, statement), proof)
  if (!isProven)
    throw new SchedulerError(
      'NOT_ALLOWED',
      'what is done is told by nodes that could read the manifest, and this one does not prove that it could'
    )
  return fact
}

function provenBytes(networkId: Uint8Array, author: Uint8Array, statement: Uint8Array): Uint8Array {
  return concat(PROOF_TAG, networkId, author, statement)
}

import { type Abortable, isBeemeshError, toError, withDeadline } from '../../common/index.ts'
import { encodeTrustRequest } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import { signMembership } from '../../trust/index.ts'
import type { Session } from '../connection/session.ts'
import type { SeenNode } from '../nodes.ts'
import { changeTrust, ownersIn } from './trust.ts'

/** One node's answer; the others do not wait longer for it. Chosen. */
const ASK_TIMEOUT_MS = 5_000

/** Nodes asked at once. Chosen. */
const CONCURRENCY = 16

/** An owner's key, and the one that takes its place, on one connection. */
export interface Succession {
  readonly old: Session
  readonly next: Session
}

/** added: it obeys both · rotated: it obeys the new key only · not-yours: neither · unanswered, failed: to be told later */
export interface Told {
  readonly node: string
  readonly peerId: string
  readonly outcome: 'added' | 'rotated' | 'not-yours' | 'unanswered' | 'failed'
  readonly error?: { readonly code: string; readonly message: string }
}

/** Asks some nodes at a time. The answers are in the order of the nodes. */
export async function tellEach(
  nodes: readonly SeenNode[],
  tell: (node: SeenNode) => Promise<Told>
): Promise<Told[]> {
  const told: Told[] = []
  for (let from = 0; from < nodes.length; from += CONCURRENCY)
    told.push(...(await Promise.all(nodes.slice(from, from + CONCURRENCY).map(tell))))
  return told
}

/** Has a node obey the new key beside the old one, take it for the old one's heir, and be a member by it. May be repeated. */
export async function addSuccessor(
  { old, next }: Succession,
  node: SeenNode,
  { signal }: Abortable = {}
): Promise<Told> {
  return telling(node, { signal }, async (options) => {
    const isNext = await obeys(next, node, options)
    if (isNext && !isNext.includes(old.key.peerId)) return 'rotated'
    const { networkId } = next.connection
    const membership = signMembership(next.key, { subject: node.publicKey, networkId, nowMs: Date.now() })
    const encode = (replyKey: Uint8Array) =>
      encodeTrustRequest({ successor: next.key.publicKey, membership, replyKey })
    const owners = await ownersIn(old.ask(node, 'trust', encode, options))
    return owners.includes(next.key.peerId) ? 'added' : 'failed'
  })
}

/** Has a node that obeys the new key obey the old one no more. May be repeated. */
export async function removePredecessor(
  { old, next }: Succession,
  node: SeenNode,
  { signal }: Abortable = {}
): Promise<Told> {
  return telling(node, { signal }, async (options) => {
    const owners = await changeTrust(next, node, { remove: [old.key.peerId], ...options })
    return owners.includes(old.key.peerId) ? 'failed' : 'rotated'
  })
}

/** Whom the node obeys; undefined: not this key. */
async function obeys(session: Session, node: SeenNode, options: Abortable): Promise<string[] | undefined> {
  try {
    return await changeTrust(session, node, options)
  } catch (error) {
    if (isBeemeshError(error) && error.code === 'NOT_AUTHORISED') return undefined
    throw error
  }
}

async function telling(
  node: SeenNode,
  { signal }: Abortable,
  act: (options: Abortable) => Promise<Told['outcome']>
): Promise<Told> {
  const about = { node: node.name, peerId: peerIdFromPublicKey(node.publicKey) }
  if (node.state === 'dead' || node.state === 'left')
    return {
      ...about,
      outcome: 'unanswered',
      error: { code: 'NODE_UNREACHABLE', message: `it is ${node.state}` }
    }
  try {
    return { ...about, outcome: await act({ signal: withDeadline(ASK_TIMEOUT_MS, signal) }) }
  } catch (thrown) {
    signal?.throwIfAborted()
    const error = toError(thrown)
    const code = isBeemeshError(error)
      ? error.code
      : error.name === 'TimeoutError'
        ? 'TIMED_OUT'
        : 'CONNECTION_LOST'
    const outcome = NO_OWNER.has(code) ? 'not-yours' : UNREACHED.has(code) ? 'unanswered' : 'failed'
    return { ...about, outcome, error: { code, message: error.message } }
  }
}

/** The second: the key may change owners by a grant, but is none. */
const NO_OWNER: ReadonlySet<string> = new Set(['NOT_AUTHORISED', 'OWNERS_FIXED'])
const UNREACHED: ReadonlySet<string> = new Set(['NODE_UNREACHABLE', 'TIMED_OUT', 'CONNECTION_LOST', 'BUSY'])

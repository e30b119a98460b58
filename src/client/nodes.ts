import type { Abortable } from '../common/index.ts'
import { decode, MEMBER_LIST } from '../envelope/index.ts'
import { encodeQuery, type MemberState } from '../generated/fbs/index.ts'
import { peerIdFromPublicKey, publicKeyFromPeerId } from '../identity/index.ts'
import { type NodeView, openNodeStatement } from '../members/index.ts'
import { type GrantChain, isRevokedBy, openRevocation } from '../trust/index.ts'
import type { Session, Target } from './connection/session.ts'
import { ClientError } from './errors.ts'

/** A node as the entry node sees it, its statement checked by us. */
export interface SeenNode extends NodeView {
  /** Holds a membership from one of our roots: manifests may be sealed to it. */
  readonly member: boolean
  readonly entry: boolean
  readonly connected: boolean
  /** The entry node is connected to it through a relay only. */
  readonly relayed: boolean
  /** In the opinion of the entry node. */
  readonly state: MemberState
  readonly lastSeenMs: number
  readonly roundTripMs?: number
}

/** Peer IDs whose signature makes a node a member, the owner's own among them. */
export type Roots = ReadonlySet<string>

/** Every node the entry node has heard of. What cannot be verified is left out. */
export async function fetchNodes(
  session: Session,
  roots: Roots,
  { signal }: Abortable = {}
): Promise<SeenNode[]> {
  return fetchFrom(session, session.entry, roots, { signal })
}

async function fetchFrom(
  session: Session,
  target: Target,
  roots: Roots,
  { signal }: Abortable
): Promise<SeenNode[]> {
  const nodes: SeenNode[] = []
  const revocations = new Map<string, Set<string>>()
  const { networkId, entry } = session.connection
  for await (const body of session.ask(target, 'members', (replyKey) => encodeQuery({ replyKey }), {
    signal
  })) {
    const list = decode(MEMBER_LIST, body)
    for (const { value } of list.revocations) note(revocations, value, networkId)
    for (const { statement, lastSeen, connected, relayed, roundTripMs, state } of list.members)
      try {
        const node = openNodeStatement(statement, { networkId, nowMs: Date.now() })
        nodes.push({
          ...node,
          member: node.memberships.some(
            ({ issuer, chain }) => roots.has(issuer) && !isRevoked(chain, revocations)
          ),
          entry: node.peerId === peerIdFromPublicKey(entry),
          connected,
          relayed: connected && relayed,
          state,
          lastSeenMs: lastSeen,
          roundTripMs: roundTripMs || undefined
        })
      } catch {
        // because the entry node passes on what others say; a statement that does not verify was not said
      }
  }
  return nodes
}

function note(known: Map<string, Set<string>>, bytes: Uint8Array, networkId: Uint8Array): void {
  try {
    const { grant, author } = openRevocation(bytes, { networkId, nowMs: Date.now() })
    known.set(grant, (known.get(grant) ?? new Set()).add(author))
  } catch {
    // because the entry node passes on what others say
  }
}

function isRevoked(chain: GrantChain, revocations: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  return chain.links.some((link) => isRevokedBy(revocations.get(link.id), link, chain))
}

/**
 * The member a person named: by peer ID, by name (which must be unique among members), or by full address.
 * @throws ClientError NODE_UNKNOWN, NODE_AMBIGUOUS, NOT_A_MEMBER
 */
export async function resolveNode(
  session: Session,
  name: string,
  { nodes, roots, signal }: { nodes: readonly SeenNode[]; roots: Roots } & Abortable
): Promise<SeenNode & { hints?: readonly string[] }> {
  const peerId = name.startsWith('/') ? /\/p2p\/([^/]+)$/.exec(name)?.[1] : asPeerId(name)
  if (name.startsWith('/') && peerId === undefined)
    throw new ClientError('NODE_ADDRESS_INVALID', `${name} does not say which node it is`, {
      hint: 'A full address ends in /p2p/PEERID.'
    })
  if (peerId !== undefined) {
    const canonical = peerIdFromPublicKey(publicKeyFromPeerId(peerId))
    const known = nodes.find((node) => node.peerId === canonical)
    if (known !== undefined) return assertMember(known, name)
    if (!name.startsWith('/')) throw unknown(name, nodes)
    const hints = [name]
    const target = { publicKey: publicKeyFromPeerId(canonical), addresses: hints }
    const said = await fetchFrom(session, target, roots, { signal })
    const node = said.find((one) => one.peerId === canonical)
    if (node === undefined) throw unknown(name, nodes)
    return { ...assertMember(node, name), hints }
  }
  const named = nodes.filter((node) => node.name === name)
  const members = named.filter(({ member }) => member)
  if (members.length > 1)
    throw new ClientError('NODE_AMBIGUOUS', `${members.length} members are called ${name}`, {
      details: { candidates: members.map((node) => node.peerId) },
      hint: 'Name the one you mean by its peer ID.'
    })
  if (members.length === 1) return members[0]!
  if (named.length > 0) return assertMember(named[0]!, name)
  throw unknown(name, nodes)
}

/** @throws ClientError NOT_A_MEMBER */
export function assertMember(node: SeenNode, name: string): SeenNode {
  if (node.member) return node
  throw new ClientError('NOT_A_MEMBER', `${name} holds no membership that you or a root of yours signed`, {
    details: { peerId: node.peerId, memberOf: node.memberOf },
    hint: 'Start that node with your --identity at hand once; manifests are sealed to members only.'
  })
}

function asPeerId(text: string): string | undefined {
  try {
    return peerIdFromPublicKey(publicKeyFromPeerId(text))
  } catch {
    return undefined // because it is a name, then
  }
}

function unknown(name: string, nodes: readonly SeenNode[]): ClientError {
  return new ClientError('NODE_UNKNOWN', `the entry node knows no node ${name}`, {
    details: { known: nodes.slice(0, 20).map((node) => node.name) },
    hint: 'List them with "beemesh get nodes".'
  })
}

/** A member by its name, else whoever is called so, as long as that is one. @param name none: the entry node */
export async function resolveAny(
  session: Session,
  name: string | undefined,
  { nodes, roots, signal }: { nodes: readonly SeenNode[]; roots: Roots } & Abortable
): Promise<SeenNode> {
  const named = nodes.filter((node) => (name === undefined ? node.entry : node.name === name))
  const [only] = named
  if (only !== undefined && named.length === 1) return only
  const known = nodes.find(({ peerId }) => peerId === name)
  return known ?? resolveNode(session, name ?? '', { nodes, roots, signal })
}

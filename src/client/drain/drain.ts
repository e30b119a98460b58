import { type Abortable, safeText } from '../../common/index.ts'
import { DRAINED, decode } from '../../envelope/index.ts'
import { encodeCordonRequest, encodeDrainRequest, type MovedCopy } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import type { Client } from '../client.ts'
import type { SeenNode } from '../nodes.ts'

/** What became of one copy of a node that is drained. */
export interface MovedView {
  readonly manifestId: string
  /** kind/name; undefined: the manifest is somebody else's. */
  readonly name?: string
  readonly ordinal: number
  readonly state: 'moving' | 'moved' | 'stays' | 'failed'
  /** Peer ID and name of the node that runs it, or is to. */
  readonly to?: string
  readonly toName?: string
  readonly code?: string
  readonly message?: string
}

export interface DrainView {
  readonly peerId: string
  readonly node: string
  /** Whether it takes new copies. */
  readonly scheduling: boolean
  readonly copies: readonly MovedView[]
}

export interface DrainOptions extends Abortable {
  /** For all copies together; what is not moved then stays. @default no limit */
  readonly timeoutMs?: number
  readonly onStep?: (step: MovedView) => void
}

/** Has a node take nothing new, or take copies again. What runs goes on. @throws ClientError NODE_UNKNOWN, NODE_AMBIGUOUS, NOT_A_MEMBER */
export async function cordon(
  client: Client,
  name: string,
  { scheduling, signal }: { readonly scheduling: boolean } & Abortable
): Promise<Omit<DrainView, 'copies'>> {
  const node = await client.node(name, { signal })
  const encode = (replyKey: Uint8Array) => encodeCordonRequest({ scheduling, replyKey })
  let now = scheduling
  for await (const body of client.session.ask(node, 'cordon', encode, { signal }))
    now = decode(DRAINED, body).scheduling
  return { peerId: node.peerId, node: node.name, scheduling: now }
}

/** Has other nodes run everything that a node runs; it takes nothing new from then on. */
export async function drain(client: Client, name: string, options: DrainOptions = {}): Promise<DrainView> {
  return moveFrom(client, await client.node(name, options), { ...options, moves: [] })
}

/** Has other nodes run copies of a node. @param options.moves none: all */
export async function moveFrom(
  client: Client,
  node: SeenNode,
  {
    moves,
    timeoutMs = 0,
    onStep,
    signal
  }: DrainOptions & {
    readonly moves: readonly {
      manifestId: Uint8Array
      ordinals: readonly number[]
      to: Uint8Array
    }[]
  }
): Promise<DrainView> {
  const wanted = moves.map(({ ordinals, ...move }) => ({ ...move, ordinals: [...ordinals] }))
  const encode = (replyKey: Uint8Array) => encodeDrainRequest({ moves: wanted, timeoutMs, replyKey })
  const latest = new Map<string, MovedView>()
  let scheduling = true
  for await (const body of client.session.ask(node, 'drain', encode, { signal })) {
    const said = decode(DRAINED, body)
    scheduling = said.scheduling
    for (const copy of said.copies) {
      const step = toView(copy)
      const key = `${step.manifestId} ${step.ordinal}`
      const before = latest.get(key)
      latest.set(key, { ...step, name: step.name ?? before?.name }) // a node forgets the name of what it has moved
      if (before?.state !== step.state || before.to !== step.to) onStep?.(latest.get(key)!)
    }
  }
  return { peerId: node.peerId, node: node.name, scheduling, copies: [...latest.values()] }
}

function toView({ manifestId, ordinal, state, to, ...text }: MovedCopy): MovedView {
  const safe = (value: string | undefined) => (value === undefined ? undefined : safeText(value, 1000))
  return {
    manifestId: formatManifestId(manifestId),
    name: safe(text.name),
    ordinal,
    state,
    to: to === undefined ? undefined : peerIdFromPublicKey(to),
    toName: safe(text.toName),
    code: safe(text.code),
    message: safe(text.message)
  }
}

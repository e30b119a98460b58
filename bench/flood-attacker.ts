/**
 * The other side of {@link file://./flood.ts}: joins the network as anybody with its key could, and offers hostile messages at a rate:
 * `node bench/flood-attacker.ts VICTIM RATE SECONDS`. Random bytes, real statements of a stranger, and of another network, by gossip; and
 * lookups that are no messages. What goes by gossip is signed beforehand, because signing alone would take more than a core. Prints how many it
 * offered, and how often it was sent away.
 */
import { randomBytes } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { generateSigningKey, networkTag, openNetwork } from '../src/identity/index.ts'
import { signProviderStatement } from '../src/providers/index.ts'
import { bareNode } from './bare-node.ts'

const [victim = '', rate = '10000', seconds = '10'] = process.argv.slice(2)
const network = openNetwork('in-process')
const tag = networkTag(network)
const key = generateSigningKey()
const statement = (networkId: Uint8Array) =>
  signProviderStatement(
    new Uint8Array(36).fill(1),
    { version: 1, workloads: [] },
    { key, networkId, nowMs: Date.now(), nodeName: 'x', bootId: new Uint8Array(16) }
  )
const payloads = [
  randomBytes(300),
  statement(network.id),
  statement(openNetwork('other').id),
  randomBytes(40_000)
]
const node = await bareNode(victim, 'in-process')
const topic = `/beemesh/${tag}/events`
node.services.pubsub.subscribe(topic)
let offered = 0
let sentAway = 0
node.addEventListener('peer:disconnect', () => sentAway++)
await new Promise((resolve) => setTimeout(resolve, 1_500)) // until its mesh knows us

/** What gossipsub sends; its own type is not exported. */
type Rpc = { readonly messages?: readonly unknown[] }
const pubsub = node.services.pubsub as unknown as {
  publish: (topic: string, data: Uint8Array) => Promise<unknown>
  sendRpc: (to: string, rpc: Rpc) => boolean
}
const target = (node.getPeers()[0] as PeerId).toString()
const total = Number(rate) * Number(seconds)
const signed = await signAll()
console.log('signed')

const end = performance.now() + Number(seconds) * 1_000
const startedAt = performance.now()
while (performance.now() < end) {
  const due = Math.min(total, ((performance.now() - startedAt) / 1_000) * Number(rate))
  if (node.getConnections().length === 0) await node.dial(multiaddr(victim)).catch(() => {})
  for (let count = 0; offered < due && count < 200; count++, offered++) {
    if (offered % 50 === 0) void lookup(payloads[offered % 3]!)
    else pubsub.sendRpc(target, signed[offered]!)
  }
  await new Promise((resolve) => setTimeout(resolve, 2))
}
console.log(JSON.stringify({ offered, perSecond: Math.round(offered / Number(seconds)), sentAway }))
process.exit(0)

async function lookup(payload: Uint8Array): Promise<void> {
  try {
    const stream = await node.dialProtocol(multiaddr(victim), `/beemesh/${tag}/lookup/1.0.0`)
    stream.send(payload)
    await stream.close()
  } catch {} // refused: that is what it is for
}

/** Each with a number of its own, so that none is a duplicate; nothing of them is sent yet. */
async function signAll(): Promise<Rpc[]> {
  const rpcs: Rpc[] = []
  const { sendRpc } = pubsub
  pubsub.sendRpc = (to, rpc) => {
    if ((rpc.messages?.length ?? 0) === 0) return sendRpc.call(pubsub, to, rpc)
    rpcs.push(rpc)
    return true
  }
  for (let index = 0; rpcs.length < total; index++) {
    await pubsub.publish(topic, payloads[index % 100 === 99 ? 3 : index % 3]!)
    if (index > 2 * total)
      throw new Error(`only ${rpcs.length} messages were made: the victim takes no gossip`)
  }
  pubsub.sendRpc = sendRpc
  return rpcs
}

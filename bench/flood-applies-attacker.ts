/**
 * The other side of {@link file://./flood-applies.ts}: `node bench/flood-applies-attacker.ts VICTIM FILE RATE SECONDS`, FILE an apply of the
 * owner's that was used. Connects as anybody in an open network could, and again when it was sent away.
 */
import { readFile } from 'node:fs/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { decode, ENVELOPE, signEnvelope } from '../src/envelope/index.ts'
import {
  audienceOf,
  generateSigningKey,
  networkTag,
  openNetwork,
  publicKeyFromPeerId
} from '../src/identity/index.ts'
import { streamChannel } from '../src/wire/index.ts'
import { bareNode } from './bare-node.ts'

const [victim = '', file = '', rate = '1000', seconds = '30'] = process.argv.slice(2)
const network = openNetwork('in-process')
const used = new Uint8Array(await readFile(file))
const { payload, signature } = decode(ENVELOPE, used)
const address = multiaddr(victim)
const audience = audienceOf(publicKeyFromPeerId(victim.split('/').at(-1)!))
const key = generateSigningKey()
const unknown = () =>
  signEnvelope({ type: 'apply', payload, key, networkId: network.id, audience, nowMs: Date.now() })
const forged = () => {
  const copy = used.slice()
  copy[Buffer.from(copy).indexOf(signature) + (offered % 64)]! ^= 1 + (offered % 255)
  return copy
}
const frames = [unknown, forged, () => used]

const node = await bareNode(victim, 'in-process')
let [offered, sent, sentAway] = [0, 0, 0]
node.addEventListener('peer:disconnect', () => sentAway++)
const startedAt = performance.now()
const end = startedAt + Number(seconds) * 1_000
while (performance.now() < end) {
  const due = ((performance.now() - startedAt) / 1_000) * Number(rate)
  if (node.getConnections().length === 0) await node.dial(address).catch(() => {})
  for (let count = 0; offered < due && count < 50; count++, offered++) void offer(frames[offered % 3]!())
  await new Promise((resolve) => setTimeout(resolve, 2))
}
console.log(JSON.stringify({ offered, sent, perSecond: Math.round(sent / Number(seconds)), sentAway }))
process.exit(0)

async function offer(frame: Uint8Array): Promise<void> {
  try {
    const [connection] = node.getConnections()
    const stream = await connection!.newStream(`/beemesh/${networkTag(network)}/apply/1.0.0`, {
      maxOutboundStreams: 256
    })
    const channel = await streamChannel(stream, 1024 * 1024)
    await channel.write(frame)
    sent++
    await channel.read({ signal: AbortSignal.timeout(5_000) }).catch(() => {})
    await channel.close()
  } catch {} // sent away, or too much at once: that is what it is for
}

/**
 * `npm run bench:trust [COUNT]`: how many apply envelopes a node takes from frame to authorised on one core, and how many it refuses. Counted in
 * seconds of CPU, because other work on the machine takes time but no CPU of ours.
 */

import { randomBytes } from 'node:crypto'
import { signEnvelope } from '../src/envelope/index.ts'
import { APPLY_REQUEST, encodeApplyRequest } from '../src/generated/fbs/index.ts'
import { openNetwork, signingKeyFromSeed } from '../src/identity/index.ts'
import { jsonCodec, memoryStore } from '../src/store/index.ts'
import { ownersOnly } from '../src/trust/index.ts'
import { Doors, OWNER_PROTOCOLS, ReplayGuard } from '../src/wire/index.ts'
import { AUDIENCE, bytesOf, NETWORK, NODE, NOW_MS, OWNER } from '../test/envelope/fixtures.ts'

const count = Number(process.argv[2] ?? 20_000)
let nowMs = NOW_MS
let round = 0
const doors = new Doors({
  key: NODE,
  networkId: NETWORK.id,
  trust: () => ownersOnly(new Set([OWNER.peerId])),
  replay: new ReplayGuard(memoryStore().collection('replay', jsonCodec<number>())),
  now: () => nowMs
})
const protocol = OWNER_PROTOCOLS.apply
const check = (frame: Uint8Array) => {
  nowMs = NOW_MS + (round++ % 1_000) * 5 // so that budgets, of which a second has 200, are kept to
  return doors.check(frame, { protocol, transport: 'somebody', audience: AUDIENCE })
}

/** A manifest of 4 KiB, sealed to one node. */
const payload = encodeApplyRequest({
  record: bytesOf('record', 400),
  ciphertext: bytesOf('ciphertext', 4096 + 28),
  sealedKeys: [
    { recipient: NODE.publicKey, sealingEpoch: 1, enc: bytesOf('enc', 1120), ciphertext: bytesOf('ct', 48) }
  ],
  ordinals: [0],
  replyKey: bytesOf('reply', 1216)
})
const sign = (changes: Partial<Parameters<typeof signEnvelope>[0]> = {}) =>
  signEnvelope({
    type: 'apply',
    payload,
    key: OWNER,
    networkId: NETWORK.id,
    audience: AUDIENCE,
    nowMs,
    ...changes
  })
const changed = (frame: Uint8Array, at: number) => {
  const copy = frame.slice()
  copy[at]! ^= 0xff
  return copy
}
const good = sign()
const headerAt = good.byteLength - 136
const strangers = sign({ key: signingKeyFromSeed(bytesOf('unknown', 32)) })
const forged = changed(good, 40)

measure(
  'apply envelope, frame to authorised: header, owner, budget, key, signature, verifier, payload',
  5_000,
  () => {
    // the same one each time: who checks a signature does not know it, and the replay table comes after
    const envelope = check(good)
    doors.verify(envelope, {})
    envelope.decodePayload(APPLY_REQUEST)
  }
)
const garbage: readonly (readonly [what: string, frame: Uint8Array])[] = [
  ['random bytes, 300 B', randomBytes(300)],
  ['random bytes, 64 KiB', randomBytes(65_536)],
  ['a cut frame', good.subarray(0, 4_000)],
  ['another magic', changed(good, headerAt)],
  ['another version', changed(good, headerAt + 4)],
  ['another network', sign({ networkId: openNetwork('elsewhere').id })],
  ['an hour old', sign({ nowMs: NOW_MS - 3_600_000 })],
  ['for another node', sign({ audience: new Uint8Array(32).fill(1) })]
]
for (const [what, frame] of garbage) measure(`refused: ${what}`, 100_000, () => refused(frame))
measure('refused: an author nobody knows, well signed', undefined, () => refused(strangers))
measure('refused: an owner with a forged signature', undefined, () => {
  try {
    check(forged).verifySignature()
  } catch {}
})

function refused(frame: Uint8Array): void {
  try {
    check(frame)
  } catch {}
}

function measure(what: string, bound: number | undefined, act: () => void): void {
  for (let round = 0; round < count / 10; round++) act()
  const rates = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage()
    for (let round = 0; round < count; round++) act()
    const { user, system } = process.cpuUsage(before)
    return count / ((user + system) / 1e6)
  })
  const best = Math.round(Math.max(...rates))
  const verdict = bound === undefined ? '' : ` (at least ${bound}: ${best >= bound ? 'kept' : 'MISSED'})`
  console.log(`${String(best).padStart(8)} a second of CPU, ${what}${verdict}`)
}

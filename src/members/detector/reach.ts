import { randomBytes } from 'node:crypto'
import { delay, timeoutSignal } from '../../common/index.ts'
import type { Probe } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey, publicKeyFromPeerId, type SigningKey } from '../../identity/index.ts'
import { Budget, WireError } from '../../wire/index.ts'
import {
  HELPERS,
  MAX_REACHING,
  REACH_BUDGET,
  REACH_TIMEOUT_MS,
  REDIAL_PAUSE_MS,
  TARGET_BUDGET
} from './constants.ts'
import type { Sign } from './detector.ts'
import type { ProbeWire } from './probe-wire.ts'
import { isProof, signProof } from './proof.ts'

export interface ReachInit {
  readonly key: SigningKey
  readonly networkId: Uint8Array
  readonly wire: () => Pick<ProbeWire, 'ask' | 'forget'>
  /** Whether it is a member; addresses are only ever those of its own statement. */
  readonly isKnown: (peerId: string) => boolean
  readonly isConnected: (peerId: string) => boolean
  /** Makes a new connection, also beside one that is there. Rejects when it cannot. */
  readonly dial: (peerId: string, options: { signal: AbortSignal }) => Promise<void>
  /** Members that could be asked about it, in any order. */
  readonly helpers: (target: string) => readonly string[]
  /** Somebody suspects this member, and we did not reach it either. */
  readonly onUnreached: (peerId: string) => void
}

/** The ways to a member that does not answer: a new connection, and other members. And the same for others who ask. */
export class Reach {
  readonly #init: ReachInit
  readonly #askers = new Budget(REACH_BUDGET)
  readonly #targets = new Budget(TARGET_BUDGET)
  #reaching = 0

  constructor(init: ReachInit) {
    this.#init = init
  }

  /** All ways at once; one of our own counts more, because it leaves a connection behind. */
  async confirm(peerId: string, { signal }: { signal: AbortSignal }): Promise<Sign | undefined> {
    const end = new AbortController()
    const either = AbortSignal.any([signal, end.signal])
    const own = Promise.any([this.#probe(peerId, either), this.#redial(peerId, either)])
    const others = pick(this.#init.helpers(peerId), HELPERS).map((helper) =>
      this.#askHelper(helper, peerId, either)
    )
    const vouched = Promise.any(others).then(() => 'vouched' as const)
    vouched.catch(() => {}) // because nobody looks at it when one of our own ways leads there
    return own
      .then(() => 'direct' as const)
      .catch(() => vouched)
      .catch(() => undefined)
      .finally(() => end.abort())
  }

  /** Answers a probe that is for somebody else: proves that we are there, or that its target is. */
  async prove({ target, asker, challenge }: Probe, from: string): Promise<Uint8Array | undefined> {
    const { key, networkId } = this.#init
    if (challenge === undefined) return undefined
    if (asker !== undefined) return signProof(key, { networkId, asker, challenge })
    const peerId = peerIdFromPublicKey(target!)
    if (!this.#init.isKnown(peerId) || peerId === key.peerId || peerId === from) return undefined
    if (this.#reaching >= MAX_REACHING || !this.#askers.take(from) || !this.#targets.take(peerId))
      return undefined
    this.#reaching++
    const signal = timeoutSignal(REACH_TIMEOUT_MS)
    try {
      if (!this.#init.isConnected(peerId)) await this.#init.dial(peerId, { signal })
      const probe = { asker: publicKeyFromPeerId(from), challenge }
      return (await this.#init.wire().ask(peerId, probe, { signal })).proof
    } catch {
      this.#init.onUnreached(peerId)
      return undefined
    } finally {
      this.#reaching--
    }
  }

  async #probe(peerId: string, signal: AbortSignal): Promise<void> {
    await this.#init.wire().ask(peerId, {}, { signal })
  }

  async #redial(peerId: string, signal: AbortSignal): Promise<void> {
    const dial = () => this.#init.dial(peerId, { signal })
    await dial().catch(async () => {
      await delay(REDIAL_PAUSE_MS, { signal })
      await dial()
    })
    this.#init.wire().forget(peerId)
  }

  async #askHelper(helper: string, peerId: string, signal: AbortSignal): Promise<void> {
    const { key, networkId } = this.#init
    const target = publicKeyFromPeerId(peerId)
    const challenge = new Uint8Array(randomBytes(16))
    const { proof } = await this.#init.wire().ask(helper, { target, challenge }, { signal })
    if (proof === undefined || !isProof(proof, target, { networkId, asker: key.publicKey, challenge }))
      throw new WireError('NODE_UNREACHABLE', `${helper} has not reached ${peerId}`)
  }
}

function pick(all: readonly string[], count: number): string[] {
  const rest = [...all]
  return Array.from({ length: Math.min(count, rest.length) }, () => {
    const [one] = rest.splice(Math.floor(Math.random() * rest.length), 1)
    return one!
  })
}

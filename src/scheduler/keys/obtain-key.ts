import { equalBytes, toError } from '../../common/index.ts'
import type { Released } from '../../generated/fbs/index.ts'
import { publicKeyFromPeerId } from '../../identity/index.ts'
import {
  assertShare,
  combineShares,
  keyCommitment,
  type ManifestContext,
  type OpenShare,
  openReleased
} from '../../sealing/index.ts'
import { OBTAIN_RETRY_MS, OBTAIN_TIMEOUT_MS } from '../constants.ts'
import { SchedulerError } from '../errors.ts'
import type { CheckedRecord, World } from '../types.ts'

/** Why a node gave nothing, or nothing that could be used. */
export interface Refusal {
  readonly peerId: string
  readonly code: string
  readonly message: string
}

/** Codes that may be others a moment later: a lease runs out, a statement arrives. */
const LATER = new Set(['NOT_YET', 'UNREACHABLE'])

/**
 * The content key of a version this node is to run, Uint8Array(32): whole from a node that runs it, or rebuilt from shares. Shares that are
 * wrong are named, and do no harm while enough right ones come.
 * @throws SchedulerError KEY_UNAVAILABLE with everybody's reason
 */
export async function obtainKey(
  world: World,
  record: CheckedRecord,
  {
    ordinals,
    standbys = [],
    own,
    assertWanted = () => {},
    signal
  }: {
    readonly ordinals: readonly number[]
    /** Public keys of nodes that the owner sealed the key to. @default nobody */
    readonly standbys?: readonly Uint8Array[]
    /** The share that this node holds itself. */
    readonly own?: OpenShare | undefined
    /** What it throws ends the search, between two rounds of asking. */
    readonly assertWanted?: () => void
    readonly signal: AbortSignal
  }
): Promise<Uint8Array> {
  const untilMs = world.now() + OBTAIN_TIMEOUT_MS
  const shares = new Map(own === undefined ? [] : [[own.index, own]])
  for (;;) {
    const round = new Round(world, record, { ordinals, standbys, shares, signal })
    const key = await round.run()
    if (key !== undefined) return key
    const isHopeless = round.refusals.every(({ code }) => !LATER.has(code))
    if (!isHopeless && world.now() < untilMs) {
      await world.delay(OBTAIN_RETRY_MS, { signal })
      assertWanted()
      continue
    }
    const reasons = round.refusals.map(({ peerId, code }) => `${peerId.slice(-8)} ${code}`).join(', ')
    throw new SchedulerError(
      'KEY_UNAVAILABLE',
      `the content key cannot be had: ${shares.size} of ${record.shareThreshold} shares; ${reasons || 'nobody to ask'}`,
      {
        retryable: true,
        details: { shares: shares.size, threshold: record.shareThreshold, refusals: round.refusals }
      }
    )
  }
}

/** Everybody who may have the key or a share, asked once. */
class Round {
  readonly refusals: Refusal[] = []
  readonly #world: World
  readonly #record: CheckedRecord
  readonly #about: ManifestContext
  readonly #ordinals: readonly number[]
  readonly #standbys: readonly Uint8Array[]
  readonly #shares: Map<number, OpenShare>
  readonly #signal: AbortSignal

  constructor(
    world: World,
    record: CheckedRecord,
    {
      ordinals,
      standbys,
      shares,
      signal
    }: {
      ordinals: readonly number[]
      standbys: readonly Uint8Array[]
      shares: Map<number, OpenShare>
      signal: AbortSignal
    }
  ) {
    this.#world = world
    this.#record = record
    const { owner, manifestId, version } = record
    this.#about = { networkId: world.networkId, owner, manifestId, version }
    this.#ordinals = ordinals
    this.#standbys = standbys
    this.#shares = shares
    this.#signal = signal
  }

  async run(): Promise<Uint8Array | undefined> {
    const { manifestId, version, shareHolders } = this.#record
    const self = this.#world.key.peerId
    const live = new Set(
      this.#world
        .neighbours()
        .filter(({ state }) => state === 'alive' || state === 'suspect')
        .map(({ peerId }) => peerId)
    )
    const providers = this.#world.leased(manifestId).filter((lease) => lease.version === version)
    const holders = this.#world
      .neighbours()
      .filter(({ publicKey }) =>
        shareHolders.some(({ node, index }) => equalBytes(node, publicKey) && !this.#shares.has(index))
      )
    const standbys = this.#world
      .neighbours()
      .filter(({ publicKey }) => this.#standbys.some((one) => equalBytes(one, publicKey)))
    const others = [...new Set([...providers, ...holders, ...standbys].map(({ peerId }) => peerId))]
    // together, because a whole key is as good as many shares, and nobody is waited for who does not answer
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
    const asked = others
      .filter((peerId) => live.has(peerId) && peerId !== self)
      .map(async (peerId) => {
        const key = await this.#ask(peerId)
        if (key !== undefined) resolve(key)
      })
    void Promise.all(asked).then(() => resolve(undefined))
    return promise
  }

  async #ask(peerId: string): Promise<Uint8Array | undefined> {
    const { manifestId, version } = this.#record
    const { epoch: sealingEpoch } = this.#world.sealingKey()
    const request = { manifestId, version, ordinals: [...this.#ordinals], sealingEpoch }
    try {
      const released = await this.#world.asks.release(peerId, request, { signal: this.#signal })
      if (released.code === undefined) return await this.#open(peerId, released)
      this.refusals.push({ peerId, code: released.code, message: released.message ?? '' })
    } catch (error) {
      this.refusals.push({ peerId, code: 'UNREACHABLE', message: toError(error).message })
    }
    return undefined
  }

  async #open(peerId: string, { index, enc, ciphertext }: Released): Promise<Uint8Array | undefined> {
    const { keyCommitment: commitment, shareHolders, shareThreshold } = this.#record
    const releaser = publicKeyFromPeerId(peerId)
    const recipient = this.#world.key.publicKey
    const bad = (message: string) => this.refusals.push({ peerId, code: 'SHARE_INVALID', message })
    if (enc === undefined || ciphertext === undefined || commitment === undefined) {
      bad('an empty answer')
      return undefined
    }
    try {
      const sealed = { enc, ciphertext, sealingKey: this.#world.sealingKey() }
      const secret = await openReleased({ ...this.#about, ...sealed, releaser, recipient, index })
      if (index === 0) {
        if (equalBytes(keyCommitment(this.#about, secret), commitment)) return secret
        bad('another key than the one the record names')
        return undefined
      }
      const said = shareHolders.find((one) => one.index === index && equalBytes(one.node, releaser))
      if (said === undefined) {
        bad('a share that is not its own')
        return undefined
      }
      assertShare(this.#about, { index, share: secret }, said)
      this.#shares.set(index, { index, share: secret })
    } catch (error) {
      bad(toError(error).message)
      return undefined
    }
    if (this.#shares.size < shareThreshold) return undefined
    const shares = [...this.#shares.values()]
    return combineShares({ ...this.#about, shares, threshold: shareThreshold, commitment })
  }
}

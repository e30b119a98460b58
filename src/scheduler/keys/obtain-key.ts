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
  const stop = new AbortController()
  const shares = new Map(own === undefined ? [] : [[own.index, own]])
  const asked = { ordinals, standbys, shares, signal: AbortSignal.any([signal, stop.signal]) }
  const search = new Search(world, record, asked)
  try {
    for (;;) {
      await search.round(OBTAIN_RETRY_MS)
      if (search.key !== undefined) return search.key
      signal.throwIfAborted()
      if (search.isHopeless || world.now() >= untilMs)
        throw unavailable(record, shares.size, search.refusals())
      assertWanted()
    }
  } finally {
    stop.abort()
  }
}

function unavailable(
  { shareThreshold }: CheckedRecord,
  shares: number,
  refusals: readonly Refusal[]
): SchedulerError {
  const reasons = refusals.map(({ peerId, code }) => `${peerId.slice(-8)} ${code}`).join(', ')
  return new SchedulerError(
    'KEY_UNAVAILABLE',
    `the content key cannot be had: ${shares} of ${shareThreshold} shares; ${reasons || 'nobody to ask'}`,
    { retryable: true, details: { shares, threshold: shareThreshold, refusals } }
  )
}

/** Everybody who may have the key or a share, asked again and again; one that is slow to answer holds up nobody else. */
class Search {
  /** When it was found. */
  key: Uint8Array | undefined
  readonly #refusals = new Map<string, Refusal>()
  /** Questions under way. */
  readonly #asked = new Map<string, Promise<void>>()
  #onKey: () => void = () => {}
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

  /** Why those that answered gave nothing the last time they did. */
  refusals(): Refusal[] {
    return [...this.#refusals.values()]
  }

  /** Everybody has answered, and nobody would say anything else a moment later. */
  get isHopeless(): boolean {
    return this.#asked.size === 0 && this.refusals().every(({ code }) => !LATER.has(code))
  }

  /** Asks all that are not being asked. Resolves when the key was found, or after so long, or when it is hopeless. */
  async round(ms: number): Promise<void> {
    const ended = Promise.withResolvers<void>()
    this.#onKey = ended.resolve
    const others = this.#others()
    for (const peerId of this.#refusals.keys()) if (!others.includes(peerId)) this.#refusals.delete(peerId)
    for (const peerId of others) if (!this.#asked.has(peerId)) this.#asked.set(peerId, this.#askFor(peerId))
    // together, because a whole key is as good as many shares, and nobody is waited for who does not answer
    void Promise.all(this.#asked.values()).then(() => {
      if (this.isHopeless) ended.resolve()
    })
    const over = new AbortController()
    const limit = { signal: AbortSignal.any([this.#signal, over.signal]) }
    await Promise.race([ended.promise, this.#world.delay(ms, limit).catch(() => {})])
    over.abort()
  }

  async #askFor(peerId: string): Promise<void> {
    const key = await this.#ask(peerId)
    this.#asked.delete(peerId)
    if (key === undefined) return
    this.key ??= key
    this.#onKey()
  }

  /** Who may have it: those that run it, and those the owner gave the key or a share. */
  #others(): string[] {
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
    return others.filter((peerId) => live.has(peerId) && peerId !== self)
  }

  async #ask(peerId: string): Promise<Uint8Array | undefined> {
    const { manifestId, version } = this.#record
    const { epoch: sealingEpoch } = this.#world.sealingKey()
    const request = { manifestId, version, ordinals: [...this.#ordinals], sealingEpoch }
    try {
      const released = await this.#world.asks.release(peerId, request, { signal: this.#signal })
      if (released.code === undefined) {
        this.#refusals.delete(peerId)
        return await this.#read(peerId, released)
      }
      this.#refuse(peerId, released.code, released.message ?? '')
    } catch (error) {
      this.#refuse(peerId, 'UNREACHABLE', toError(error).message)
    }
    return undefined
  }

  #refuse(peerId: string, code: string, message: string): void {
    this.#refusals.set(peerId, { peerId, code, message })
  }

  async #read(peerId: string, { index, enc, ciphertext }: Released): Promise<Uint8Array | undefined> {
    const { keyCommitment: commitment, shareHolders, shareThreshold } = this.#record
    const releaser = publicKeyFromPeerId(peerId)
    const recipient = this.#world.key.publicKey
    const bad = (message: string) => this.#refuse(peerId, 'SHARE_INVALID', message)
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

import { equalBytes, withDeadline } from '../../common/index.ts'
import type { Verdict } from '../../generated/fbs/index.ts'
import type { Bundle } from '../../workloads/index.ts'
import {
  ASK_TIMEOUT_MS,
  DURABLE_KEEPERS,
  KEEPERS,
  OFFER_INTERVAL_MS,
  OFFER_RETRY_MOST_MS,
  OFFER_RETRY_MS,
  SPARE_KEEPERS
} from '../constants.ts'
import { giveFacts, takeFacts } from '../facts/take-facts.ts'
import type { CheckedRecord, Kept, Neighbour, World } from '../types.ts'
import type { KeptTable } from './kept-table.ts'

export interface OfferingInit {
  readonly world: World
  readonly kept: KeptTable
  readonly signal: AbortSignal
  /** Members that count, nearest to the manifest first. */
  readonly ranked: (manifestId: Uint8Array) => readonly Neighbour[]
  readonly isMine: (record: CheckedRecord) => boolean
  /** Another keeper has a newer record. */
  readonly onRecord: (bytes: Uint8Array) => Promise<void>
  /** Another keeper answered with another record, if any, than the one it was given. */
  readonly onOther: (record: CheckedRecord, bytes: Uint8Array | undefined) => void
}

/** One manifest was offered. */
interface Offered {
  /** When it was offered to all. */
  readonly atMs: number
  /** All that were to have it. */
  readonly to: string
  /** Those of them that are not known to have it, and when they are offered it again. */
  again?: { readonly peerIds: Set<string>; readonly atMs: number; readonly delayMs: number }
}

/** Sees that the keepers of now have what is kept here, and lets go of what is others' by then. */
export class Offering {
  readonly #init: OfferingInit
  readonly #offered = new Map<string, Offered>()

  constructor(init: OfferingInit) {
    this.#init = init
  }

  /** All that are to have it: the nearest, and those that the record names. Nearest first. */
  keepersOf(record: CheckedRecord): Neighbour[] {
    const ranked = this.#init.ranked(record.manifestId)
    const named = ranked.filter(({ publicKey }) => isNamed(record, publicKey))
    return [...new Set([...ranked.slice(0, KEEPERS + SPARE_KEEPERS), ...named])]
  }

  /**
   * A version is new here: the nearest offers it to all at its next look, the one after it when its time comes, and everybody else to new
   * keepers alone. But whoever brought it may not have reached the nearest: each that does not hear of it by then offers it there.
   */
  noteNew(record: CheckedRecord): void {
    const keepers = this.keepersOf(record)
    const nowMs = this.#init.world.now()
    const place = keepers.findIndex(({ self }) => self)
    const [nearest] = keepers
    const offered: Offered = { atMs: place === 0 ? 0 : nowMs, to: namesOf(keepers) }
    if (nearest !== undefined && place !== 0)
      offered.again = {
        peerIds: new Set([nearest.peerId]),
        atMs: nowMs + OFFER_RETRY_MS * (place < 0 ? 1 : 1 + place),
        delayMs: OFFER_RETRY_MS
      }
    this.#note(record, offered)
  }

  /** Another keeper offers what is kept here, so it needs not be offered to that one. */
  noteHas({ manifestId }: CheckedRecord, peerId: string): void {
    this.#offered.get(manifestId.join())?.again?.peerIds.delete(peerId)
  }

  /**
   * Offers what is kept to the keepers of now, when they are others than last time or some time has passed, and again to those that did not
   * take it; lets go of what others are nearer to. Only the two nearest repeat it to all, so that it is not offered by everybody.
   * @returns undefined: there is nothing to be done
   */
  offer(manifest: Kept): Promise<void> | undefined {
    const { record } = manifest
    const keepers = this.keepersOf(record)
    const to = namesOf(keepers)
    const last = this.#offered.get(record.manifestId.join())
    const nowMs = this.#init.world.now()
    const isNear = keepers.slice(0, 2).some(({ self }) => self)
    const isNews = last?.to !== to || (isNear && nowMs - last.atMs >= OFFER_INTERVAL_MS)
    const again = last?.to === to ? last.again : undefined
    const isDue = again !== undefined && again.peerIds.size > 0 && nowMs >= again.atMs
    if (!isNews && !isDue) return undefined
    const delayMs = again === undefined ? OFFER_RETRY_MS : Math.min(2 * again.delayMs, OFFER_RETRY_MOST_MS)
    const offered: Offered = { atMs: isNews ? nowMs : last.atMs, to }
    this.#note(record, offered)
    const others = keepers.filter(({ self }) => !self)
    const asked = isNews ? others : others.filter(({ peerId }) => again?.peerIds.has(peerId))
    return this.#offerToAll(manifest, asked).then(async (missed) => {
      const isMine = this.#init.isMine(record)
      // the nearest sees to the others, once it has it
      const own = isNear || !isMine ? missed : missed.filter((peerId) => peerId === keepers[0]?.peerId)
      if (own.length > 0) offered.again = { peerIds: new Set(own), atMs: nowMs + delayMs, delayMs }
      if (others.length - missed.length < DURABLE_KEEPERS || isMine) return
      if (this.#init.kept.get(record.manifestId)?.record.digest !== record.digest) return // a newer one came meanwhile
      await this.#init.kept.delete(record.manifestId)
      this.#offered.delete(record.manifestId.join())
    })
  }

  #note({ manifestId }: CheckedRecord, offered: Offered): void {
    this.#offered.set(manifestId.join(), offered)
    const kept = this.#init.kept.all()
    if (this.#offered.size <= 2 * kept.length + 64) return
    const known = new Set(kept.map(({ record }) => record.manifestId.join()))
    for (const key of this.#offered.keys()) if (!known.has(key)) this.#offered.delete(key)
  }

  /** @returns those that did not take it */
  async #offerToAll({ record, bundle }: Kept, keepers: readonly Neighbour[]): Promise<string[]> {
    const missed = keepers.map(async (keeper) => {
      const hasIt = await this.#offerTo(keeper, record, bundle).catch(() => false)
      return hasIt ? [] : [keeper.peerId]
    })
    return (await Promise.all(missed)).flat()
  }

  /** @returns whether it has this version or a newer one now */
  async #offerTo(keeper: Neighbour, record: CheckedRecord, bundle: Bundle): Promise<boolean> {
    const { world, signal } = this.#init
    const limit = { signal: withDeadline(ASK_TIMEOUT_MS, signal) }
    const facts = giveFacts(this.#init.kept, record.manifestId)
    const asked = await world.asks.keep(keeper.peerId, { record: bundle.record, facts }, limit)
    await this.#learnFacts(record, asked)
    if (asked.code === undefined && asked.highest >= record.version) {
      if (asked.record !== undefined) await this.#init.onRecord(asked.record)
      return true
    }
    const { code, record: other } = await world.asks.keep(keeper.peerId, { ...bundle, facts }, limit)
    this.#init.onOther(record, other)
    return code === undefined
  }

  /** A keeper that was away does not know what was done meanwhile. */
  async #learnFacts(record: CheckedRecord, given: Verdict): Promise<void> {
    const { world, kept } = this.#init
    try {
      await takeFacts(world, kept, { record, given })
    } catch (error) {
      world.log('what is done, as another keeper tells it, is not taken: %e', error)
    }
  }
}

function namesOf(keepers: readonly Neighbour[]): string {
  return keepers.map(({ peerId }) => peerId).join()
}

/** Whether the record gives a node a part of its own in keeping the manifest. */
export function isNamed({ shareHolders, fenceKeepers }: CheckedRecord, publicKey: Uint8Array): boolean {
  return [...shareHolders, ...fenceKeepers].some(({ node }) => equalBytes(node, publicKey))
}

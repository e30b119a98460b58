import { equalBytes, withDeadline } from '../../common/index.ts'
import type { Bundle } from '../../workloads/index.ts'
import { ASK_TIMEOUT_MS, DURABLE_KEEPERS, KEEPERS, OFFER_INTERVAL_MS, SPARE_KEEPERS } from '../constants.ts'
import { giveFacts } from '../facts/take-facts.ts'
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

/** Sees that the keepers of now have what is kept here, and lets go of what is others' by then. */
export class Offering {
  readonly #init: OfferingInit
  /** When each manifest was offered to its keepers last, and to whom. */
  readonly #offered = new Map<string, { atMs: number; to: string }>()

  constructor(init: OfferingInit) {
    this.#init = init
  }

  /**
   * Offers what is kept to the keepers of now, when they are others than last time or some time has passed; lets go of what others are
   * nearer to. Only the nearest offers, so that it is offered once. @returns undefined: there is nothing to be done
   */
  offer(manifest: Kept): Promise<void> | undefined {
    const { world } = this.#init
    const { record } = manifest
    const ranked = this.#init.ranked(record.manifestId)
    const key = record.manifestId.join()
    const fence = ranked.filter((one) =>
      record.fenceKeepers.some(({ node }) => equalBytes(node, one.publicKey))
    )
    const keepers = [...new Set([...ranked.slice(0, KEEPERS + SPARE_KEEPERS), ...fence])]
    const to = keepers.map(({ peerId }) => peerId).join()
    const last = this.#offered.get(key)
    const nowMs = world.now()
    const isNearest = keepers[0]?.self === true
    if (last?.to === to && nowMs - last.atMs < OFFER_INTERVAL_MS) return undefined
    if (!isNearest && last?.to === to) return undefined
    this.#offered.set(key, { atMs: nowMs, to })
    return this.#offerToAll(manifest, keepers)
  }

  async #offerToAll({ record, bundle }: Kept, keepers: readonly Neighbour[]): Promise<void> {
    const { kept } = this.#init
    const results = await Promise.allSettled(
      keepers.filter(({ self }) => !self).map((keeper) => this.#offerTo(keeper, record, bundle))
    )
    const haveIt = results.filter((one) => one.status === 'fulfilled' && one.value).length
    if (haveIt >= DURABLE_KEEPERS && !this.#init.isMine(record)) {
      await kept.delete(record.manifestId)
      this.#offered.delete(record.manifestId.join())
    }
  }

  /** @returns whether it has this version or a newer one now */
  async #offerTo(keeper: Neighbour, record: CheckedRecord, bundle: Bundle): Promise<boolean> {
    const { world, signal } = this.#init
    const limit = { signal: withDeadline(ASK_TIMEOUT_MS, signal) }
    const facts = giveFacts(this.#init.kept.facts, record.manifestId)
    const asked = await world.asks.keep(keeper.peerId, { record: bundle.record, facts }, limit)
    if (asked.code === undefined && asked.highest >= record.version) {
      if (asked.record !== undefined) await this.#init.onRecord(asked.record)
      return true
    }
    const { code, record: other } = await world.asks.keep(keeper.peerId, { ...bundle, facts }, limit)
    this.#init.onOther(record, other)
    return code === undefined
  }
}

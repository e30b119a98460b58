import { randomBytes } from 'node:crypto'
import { isBeemeshError, withDeadline } from '../../common/index.ts'
import type { FenceRequest, VerdictInit } from '../../generated/fbs/index.ts'
import { FENCE_ASK_TIMEOUT_MS, FENCE_LEASE_MS } from '../constants.ts'
import type { World } from '../types.ts'
import type { HeldCopy } from './held-copy.ts'

export interface AskingKeepersInit {
  readonly world: World
  /** Since boot, ms. */
  readonly clock: () => number
  /** Asks this node itself, when it is a keeper. */
  readonly self: (request: FenceRequest, from: string) => Promise<VerdictInit>
  readonly signal: AbortSignal
}

/** Asks the keepers of fenced copies whether they may run here, and notes in the copy what each has said. */
export class AskingKeepers {
  readonly #init: AskingKeepersInit
  readonly #bootId = new Uint8Array(randomBytes(16))
  #sequence = 0

  constructor(init: AskingKeepersInit) {
    this.#init = init
  }

  /** One promise for each keeper, none of which rejects. */
  askAll(held: HeldCopy): Promise<void>[] {
    held.askedAtMs = this.#init.clock()
    return held.fence.keepers.map((keeper) => this.#ask(held, keeper))
  }

  /** It does not run here any more: others need not wait. */
  async release(held: HeldCopy): Promise<void> {
    held.forget()
    await Promise.allSettled(held.fence.keepers.map((keeper) => this.#send(held, keeper, { release: true })))
  }

  async #ask(held: HeldCopy, keeper: string): Promise<void> {
    if (held.asking.has(keeper)) return
    held.asking.add(keeper)
    const { fence } = held
    try {
      const isInformed = held.informed.has(keeper)
      let { sentAtMs, verdict } = await this.#send(held, keeper, isInformed ? {} : { record: fence.record })
      if (verdict.code === 'NOT_KEPT' && isInformed)
        ({ sentAtMs, verdict } = await this.#send(held, keeper, { record: fence.record }))
      if (held.fence.version === fence.version) held.informed.add(keeper)
      if (verdict.code === undefined) await this.#granted(held, keeper, sentAtMs + FENCE_LEASE_MS)
      else held.refused(keeper, verdict.code)
    } catch (error) {
      held.refused(keeper, isBeemeshError(error) ? error.code : 'UNREACHABLE')
    } finally {
      held.asking.delete(keeper)
    }
  }

  async #granted(held: HeldCopy, keeper: string, untilMs: number): Promise<void> {
    const { clock, world } = this.#init
    const { manifestId, ordinal, fence } = held
    const before = held.untilMs
    held.granted(keeper, untilMs)
    if (held.untilMs <= before) return
    const lease = { untilMs: held.untilMs, byGuard: fence.byGuard, isNew: before <= clock() }
    await world.workloads.extend(manifestId, ordinal, lease)
  }

  /** The lease counts from before it was asked for, because the keeper's begins later in any case. */
  async #send(
    { manifestId, ordinal, fence }: HeldCopy,
    keeper: string,
    { release = false, record }: { release?: boolean; record?: Uint8Array }
  ): Promise<{ sentAtMs: number; verdict: VerdictInit }> {
    const { world, clock, self, signal } = this.#init
    const sequence = ++this.#sequence
    const { version } = fence
    const request = { manifestId, version, ordinal, bootId: this.#bootId, sequence, release, record }
    const sentAtMs = clock()
    const verdict =
      keeper === world.key.peerId
        ? await self(request, keeper)
        : await world.asks.fence(keeper, request, { signal: withDeadline(FENCE_ASK_TIMEOUT_MS, signal) })
    return { sentAtMs, verdict }
  }
}

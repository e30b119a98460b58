import { isBeemeshError, toHex, withDeadline } from '../../common/index.ts'
import type { Bundle } from '../../workloads/index.ts'
import { ASK_TIMEOUT_MS } from '../constants.ts'
import type { CheckedRecord, World } from '../types.ts'

/** What came while this node could not write; above that it comes when others offer it. Chosen: some MiB at most. */
const MAX_UNWRITTEN = 64

interface Came {
  readonly record: CheckedRecord
  readonly bundle: Bundle
  /** Peer ID of who brought it. */
  readonly from: string
}

export interface UnwrittenInit {
  readonly world: World
  readonly take: (came: Came) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * What a full disk did not take, tried again at each look: the nearest keeper, which decides on some things alone, would else go on by what
 * it kept before until others offer it. Whoever brought it is asked first whether it still keeps it, because what no disk took was refused.
 */
export class Unwritten {
  readonly #init: UnwrittenInit
  readonly #came = new Map<string, Came>()
  #isLooking = false

  constructor(init: UnwrittenInit) {
    this.#init = init
  }

  note(came: Came): void {
    const key = toHex(came.record.manifestId)
    const known = this.#came.get(key)
    if (known !== undefined && known.record.version >= came.record.version) return
    if (known === undefined && this.#came.size >= MAX_UNWRITTEN) return
    this.#came.set(key, came)
  }

  /** One at a time. Never throws. */
  async look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    for (const [key, came] of [...this.#came])
      if ((await this.#isOver(came)) && this.#came.get(key) === came) this.#came.delete(key)
    this.#isLooking = false
  }

  /** @returns whether it need not be tried again */
  async #isOver({ record, bundle, from }: Came): Promise<boolean> {
    const { world, take, signal } = this.#init
    try {
      const limit = { signal: withDeadline(ASK_TIMEOUT_MS, signal) }
      const { code, highest } = await world.asks.keep(from, { record: bundle.record }, limit)
      if (code === undefined && highest >= record.version) await take({ record, bundle, from })
      return true
    } catch (error) {
      world.log('what the disk did not take is not taken yet: %e', error)
      // a node that is gone has given it to others, who offer it
      const isGone = world.neighbours().every(({ peerId, state }) => peerId !== from || state !== 'alive')
      return isGone || (isBeemeshError(error) && error.code === 'NOT_ALLOWED')
    }
  }
}

import { equalBytes, fromHex, toError, toHex, withDeadline } from '../../common/index.ts'
import type { StoredManifest } from '../../workloads/index.ts'
import { ASK_TIMEOUT_MS, CONCURRENCY, DURABLE_KEEPERS, KEEPERS, SPARE_KEEPERS } from '../constants.ts'
import type { Keeping } from '../keeping/keeping.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import type { World } from '../types.ts'
import { saidOf } from './fact.ts'
import { openFact, signFact } from './prove.ts'

export interface TellingInit {
  readonly world: World
  readonly kept: KeptTable
  readonly keeping: Pick<Keeping, 'ranked'>
  readonly signal: AbortSignal
}

/** Tells keepers how far this node has come with its parts of Jobs and CronJobs, until enough of them have it on disk. */
export class Telling {
  readonly #init: TellingInit
  /** What each manifest's keepers were told last, as text. */
  readonly #told = new Map<string, string>()
  #isBusy = false

  constructor(init: TellingInit) {
    this.#init = init
  }

  /** Tells it again at the next look: some keeper has not heard it, and acts on what it knows. */
  again(manifestId: Uint8Array): void {
    this.#told.set(toHex(manifestId), '')
  }

  /** Tells what is new since the last time. Never throws. */
  async look(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      const waiting = this.#changed()
      const work = async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await this.#tell(next)
      }
      await Promise.all(Array.from({ length: Math.min(CONCURRENCY, waiting.length) }, work))
    } catch (error) {
      this.#init.world.log.error('what is done is not told: %s', toError(error).message)
    } finally {
      this.#isBusy = false
    }
  }

  #changed(): StoredManifest[] {
    const { workloads } = this.#init.world
    const held = workloads.list()
    const here = new Set(held.map(({ manifestId }) => toHex(manifestId)))
    for (const key of this.#told.keys()) {
      if (here.has(key)) continue
      const gone = workloads.get(fromHex(key)) // handed over, or deleted: it starts no runs any more
      if (gone?.tombstone !== true) this.#told.delete(key)
      else held.push(gone)
    }
    return held.filter((stored) => {
      const said = saidOf(stored)
      return said !== undefined && JSON.stringify(said) !== this.#told.get(toHex(stored.manifestId))
    })
  }

  async #tell(stored: StoredManifest): Promise<void> {
    const { world, kept, keeping, signal } = this.#init
    const { manifestId, record, version } = stored
    const said = saidOf(stored)!
    const key = toHex(manifestId)
    // from now on some keeper may have it, and is to hear when it is over, too
    if (!this.#told.has(key)) this.#told.set(key, '')
    const bytes = await signFact(world, manifestId, said)
    if (bytes === undefined) return // handed over meanwhile: the next look says so
    const keepers = keeping.ranked(manifestId).slice(0, KEEPERS + SPARE_KEEPERS)
    const answers = await Promise.allSettled(
      keepers.map(async ({ self, peerId }) => {
        if (self) {
          if (kept.get(manifestId) === undefined) return false
          await kept.facts.take(manifestId, [openFact(bytes, world, [])!])
          return true
        }
        const limit = { signal: withDeadline(ASK_TIMEOUT_MS, signal) }
        const request = { record, facts: [{ value: bytes }] }
        const verdict = await world.asks.keep(peerId, request, limit)
        return verdict.code === undefined && verdict.highest >= version
      })
    )
    const durable = answers.filter((one) => one.status === 'fulfilled' && one.value).length
    if (durable < Math.min(DURABLE_KEEPERS, keepers.length)) return // told again at the next look
    const current = world.workloads.get(manifestId)
    if (current !== undefined && equalBytes(current.recordDigest, stored.recordDigest))
      this.#told.set(key, JSON.stringify(said))
  }
}

import type { Logger } from '@libp2p/interface'
import { timeoutSignal, toError, toHex } from '../../common/index.ts'
import type { EngineProcess, EngineRegistry, Guard } from '../../runtime/index.ts'
import { allCopies, type ManifestTable } from '../manifest-table.ts'
import type { StoredWorkload } from '../types.ts'

/** One look at the processes of a workload. Chosen: an engine that hangs must not hold up a lease. */
const PROCESSES_TIMEOUT_MS = 2_000

interface Watched {
  readonly key: string
  readonly engine: string
  untilMs: number
  processes: readonly EngineProcess[]
  isStarting: boolean
  /** One write after the other. */
  tail: Promise<void>
}

/** What this node's guard knows of fenced copies: kept true from before a copy is started until it is gone. */
export class Guarded {
  readonly #guard: Guard | undefined
  readonly #engines: EngineRegistry
  readonly #table: ManifestTable
  readonly #log: Logger
  readonly #watched = new Map<string, Watched>()

  constructor(init: {
    guard?: Guard | undefined
    engines: EngineRegistry
    table: ManifestTable
    log: Logger
  }) {
    this.#guard = init.guard
    this.#engines = init.engines
    this.#table = init.table
    this.#log = init.log
  }

  /** Forgets what is left of workloads that are no longer there. */
  async open(): Promise<void> {
    const here = new Set(
      this.#table.all().flatMap((one) => allCopies(one).map(({ workloadId }) => workloadId))
    )
    for (const name of (await this.#guard?.names()) ?? [])
      if (!here.has(name)) await this.#guard?.forget(name)
  }

  /** Before a copy is started: from here on it cannot be forgotten. @throws RuntimeError GUARD_UNAVAILABLE */
  async begin(copy: StoredWorkload, manifestId: Uint8Array, untilMs: number): Promise<void> {
    if (this.#guard === undefined) return
    await this.#guard.ensure()
    await this.#guard.forget(copy.workloadId)
    const watched = this.#watch(copy, manifestId, untilMs)
    watched.isStarting = true // what is known of it stays: other containers of it may run
    await this.#write(copy.workloadId, watched)
  }

  /** Its processes are others than before: it, or a container of it, has just been started. */
  async refresh(workloadId: string): Promise<void> {
    const watched = this.#watched.get(workloadId)
    if (watched === undefined) return
    const processes = await this.#look(workloadId, watched.engine)
    if (processes !== undefined) {
      watched.processes = processes
      watched.isStarting = false
    }
    await this.#write(workloadId, watched)
  }

  /** Its lease goes on: the guard hears of that first, and of its processes when the engine has told them. */
  async extend(copy: StoredWorkload, manifestId: Uint8Array, untilMs: number): Promise<void> {
    if (this.#guard === undefined) return
    const isKnown = this.#watched.has(copy.workloadId)
    const watched = this.#watch(copy, manifestId, untilMs)
    watched.untilMs = untilMs
    await this.#guard.ensure()
    if (!isKnown && watched.processes.length === 0)
      watched.processes = (await this.#look(copy.workloadId, copy.engine)) ?? []
    await this.#write(copy.workloadId, watched)
    if (!watched.isStarting && isKnown) await this.refresh(copy.workloadId)
  }

  /** It is gone from its engine. Repeatable. */
  async end(workloadId: string): Promise<void> {
    const watched = this.#watched.get(workloadId)
    this.#watched.delete(workloadId)
    await watched?.tail
    await this.#guard?.forget(workloadId)
  }

  untilMs(workloadId: string): Promise<number | undefined> {
    return this.#guard?.untilMs(workloadId) ?? Promise.resolve(undefined)
  }

  isWatched(workloadId: string): boolean {
    return this.#watched.has(workloadId)
  }

  #watch({ workloadId, engine }: StoredWorkload, manifestId: Uint8Array, untilMs: number): Watched {
    const key = toHex(manifestId)
    const fresh = { key, engine, untilMs, processes: [], isStarting: false, tail: Promise.resolve() }
    const watched = this.#watched.get(workloadId) ?? fresh
    watched.untilMs = Math.max(watched.untilMs, untilMs)
    this.#watched.set(workloadId, watched)
    return watched
  }

  #write(workloadId: string, watched: Watched): Promise<void> {
    const write = async () => {
      if (this.#watched.get(workloadId) !== watched) return
      const { untilMs, processes, isStarting } = watched
      await this.#guard?.set(workloadId, { untilMs, processes, isStarting })
    }
    const written = watched.tail.then(write)
    watched.tail = written.catch(() => {}) // because whoever asked for it hears of its failure
    return written
  }

  /** Undefined: the engine does not say; what was known before counts. */
  async #look(workloadId: string, engine: string): Promise<readonly EngineProcess[] | undefined> {
    try {
      const signal = timeoutSignal(PROCESSES_TIMEOUT_MS)
      return await this.#engines.get(engine).processes(workloadId, { signal })
    } catch (error) {
      this.#log('processes of %s: %s', workloadId, toError(error).message)
      return undefined
    }
  }
}

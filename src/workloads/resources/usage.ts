import { timeoutSignal } from '../../common/index.ts'
import type { WorkloadInit } from '../../generated/fbs/index.ts'
import type { EngineRegistry, EngineStats } from '../../runtime/index.ts'
import type { StoredManifest } from '../types.ts'

/** Rounds of the watcher between two measurements: 10 s. Chosen, with room in the 15 s at which keepers look. */
const ROUNDS = 5
const STATS_TIMEOUT_MS = 5_000

type Use = Required<Pick<WorkloadInit, 'cpuMillisUsed' | 'memoryBytesUsed' | 'usedAt' | 'usedOverMs'>>

/** What copies use whose number follows it; nothing else is measured. */
export class Usage {
  readonly #engines: EngineRegistry
  readonly #last = new Map<string, EngineStats>()
  readonly #uses = new Map<string, Use>()
  #round = 0

  constructor(engines: EngineRegistry) {
    this.#engines = engines
  }

  /** Undefined where nothing is known yet. */
  of(workloadId: string): Use | undefined {
    return this.#uses.get(workloadId)
  }

  /** In each round of the watcher. An engine that does not answer is asked again in the next measurement. */
  async look(manifests: readonly StoredManifest[], signal: AbortSignal): Promise<void> {
    if (this.#round++ % ROUNDS !== 0) return
    const copies = manifests
      .filter(({ autoscaled }) => autoscaled === true)
      .flatMap(({ workloads }) => workloads)
    for (const workloadId of this.#last.keys())
      if (!copies.some((copy) => copy.workloadId === workloadId)) {
        this.#last.delete(workloadId)
        this.#uses.delete(workloadId)
      }
    for (const [engine, own] of Map.groupBy(copies, (copy) => copy.engine)) {
      const limit = AbortSignal.any([signal, timeoutSignal(STATS_TIMEOUT_MS)])
      const ids = own.map(({ workloadId }) => workloadId)
      const stats = await this.#engines
        .get(engine)
        .stats(ids, { signal: limit })
        .catch(() => [])
      for (const one of stats) this.#note(one)
    }
  }

  #note(now: EngineStats): void {
    const before = this.#last.get(now.workloadId)
    this.#last.set(now.workloadId, now)
    // because it begins at 0 when a container is started again
    const grows = before !== undefined && now.atMs > before.atMs && now.cpuNanos >= before.cpuNanos
    const overMs = grows ? now.atMs - before.atMs : 0
    this.#uses.set(now.workloadId, {
      cpuMillisUsed: grows ? Math.round((now.cpuNanos - before.cpuNanos) / overMs / 1000) : 0,
      memoryBytesUsed: Math.round(now.memoryBytes),
      usedAt: now.atMs,
      usedOverMs: overMs
    })
  }
}

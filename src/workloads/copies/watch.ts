import { safeText } from '../../common/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import type { EngineWorkload } from '../../runtime/index.ts'
import { LABELS, RESTART_BACKOFF_MS } from '../constants.ts'
import { announce, type Context, nodeLabels, openStored } from '../context.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { removeCopy } from './deploy.ts'
import { startCopy } from './release.ts'
import { tell } from './transition.ts'

const SETTLED: ReadonlySet<string> = new Set(['running', 'ready'])

/** Restarts of one copy so far; gone when the copy is. */
interface Attempts {
  count: number
  nextAtMs: number
}

/** Compares what should run with what the engines say, and puts it right: copies that ended are restarted with back-off. */
export class Watcher {
  readonly #context: Context
  readonly #attempts = new Map<string, Attempts>()

  constructor(context: Context) {
    this.#context = context
  }

  /** One round. Engines that do not answer are asked again in the next. */
  async look(): Promise<void> {
    const { table, init, log } = this.#context
    const engines = new Set(table.live().flatMap(({ workloads }) => workloads.map(({ engine }) => engine)))
    for (const name of engines) {
      try {
        const signal = AbortSignal.any([this.#context.signal, AbortSignal.timeout(10_000)])
        const seen = await init.engines.get(name).list({ labels: nodeLabels(this.#context) }, { signal })
        const byId = new Map(seen.map((one) => [one.workloadId, one]))
        for (const manifest of table.live())
          for (const copy of manifest.workloads)
            if (copy.engine === name) this.#judge(manifest, copy, byId.get(copy.workloadId))
      } catch (error) {
        log.error('engine %s does not answer: %e', name, error)
      }
    }
  }

  #judge(manifest: StoredManifest, copy: StoredWorkload, seen: EngineWorkload | undefined): void {
    const alive = seen?.state === 'running' || seen?.state === 'starting'
    if (SETTLED.has(copy.state)) {
      if (!alive) void this.#onEnded(manifest, copy, seen)
      return
    }
    const attempts = this.#attempts.get(copy.workloadId)
    const restartable = copy.state === 'failed' || copy.state === 'stopped'
    if (restartable && attempts !== undefined && attempts.nextAtMs <= this.#context.now())
      void this.#restart(manifest, copy)
  }

  /** In the manifest's lane, so that an update or delete under way is not taken for an end. */
  async #onEnded(
    manifest: StoredManifest,
    copy: StoredWorkload,
    seen: EngineWorkload | undefined
  ): Promise<void> {
    const { table, lanes, now, log } = this.#context
    await lanes.run(formatManifestId(manifest.manifestId), async () => {
      const current = this.#current(manifest, copy)
      if (current === undefined || !SETTLED.has(current.state)) return
      const ended = seen?.state === 'stopped'
      const message = safeText(
        seen === undefined ? 'the engine does not know it any more' : (seen.message ?? ''),
        1000
      )
      const state = ended ? 'stopped' : 'failed'
      await table.putWorkload(manifest.manifestId, { ...current, state, message })
      tell(this.#context, manifest, { ...current, state, message })
      announce(this.#context, manifest.manifestId)
      log('%s %s %s', copy.workloadId, ended ? 'ended' : 'failed', message)
      if (manifest.restartPolicy === 'Never' || (ended && manifest.restartPolicy === 'OnFailure')) return
      const ranMs = now() - (current.startedAtMs ?? now())
      const before =
        ranMs > RESTART_BACKOFF_MS.forgetAfter ? 0 : (this.#attempts.get(copy.workloadId)?.count ?? 0)
      const waitMs = Math.min(RESTART_BACKOFF_MS.first * 2 ** before, RESTART_BACKOFF_MS.last)
      this.#attempts.set(copy.workloadId, { count: before + 1, nextAtMs: now() + waitMs })
    })
  }

  async #restart(manifest: StoredManifest, copy: StoredWorkload): Promise<void> {
    const { lanes, now, log } = this.#context
    const attempts = this.#attempts.get(copy.workloadId)!
    attempts.nextAtMs = Number.POSITIVE_INFINITY // because the next round must not start it a second time
    await lanes.run(formatManifestId(manifest.manifestId), async () => {
      const current = this.#current(manifest, copy)
      if (current === undefined) {
        this.#attempts.delete(copy.workloadId)
        return
      }
      try {
        const opened = await openStored(this.#context, manifest.owner, manifest)
        await removeCopy(this.#context, current, 0)
        tell(this.#context, manifest, current, { type: 'restarted', reason: `restart ${attempts.count}` })
        const start = { ...opened, copy: current, report: () => {} }
        const { workload } = await startCopy(this.#context, manifest, start)
        announce(this.#context, manifest.manifestId)
        if (workload.state === 'running') return
      } catch (error) {
        log.error('restart of %s: %e', copy.workloadId, error)
      }
      const waitMs = Math.min(RESTART_BACKOFF_MS.first * 2 ** attempts.count, RESTART_BACKOFF_MS.last)
      attempts.count++
      attempts.nextAtMs = now() + waitMs
    })
  }

  #current(manifest: StoredManifest, copy: StoredWorkload): StoredWorkload | undefined {
    const stored = this.#context.table.get(manifest.manifestId)
    if (stored === undefined || stored.tombstone || stored.version !== manifest.version) return undefined
    return stored.workloads.find(({ workloadId }) => workloadId === copy.workloadId)
  }
}

/** The workload ID an engine's workload carries, when it is this node's. */
export function ownWorkloadId(context: Context, seen: EngineWorkload): string | undefined {
  return seen.labels[LABELS.node] === context.init.key.peerId ? seen.workloadId : undefined
}

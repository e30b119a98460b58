import { safeText, toError } from '../../common/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import type { EngineContainer, EngineWorkload } from '../../runtime/index.ts'
import { RESTART_BACKOFF_MS } from '../constants.ts'
import { announce, type Context, openStored, RUNNING } from '../context.ts'
import { permit } from '../fenced/permit.ts'
import { allCopies } from '../manifest-table.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { removeCopy } from './deploy.ts'
import { startCopy } from './release.ts'
import { tell } from './transition.ts'

/** Restarts of one copy so far. */
interface Attempts {
  count: number
  timer: NodeJS.Timeout | undefined
  lastMs: number
}

/**
 * Starts ended containers again, with a back-off that doubles: first in place, so that the log goes on, and when the engine
 * cannot do that as a new deployment of the copy. Waiting is the state "failed" with CrashLoopBackOff in its message.
 */
export class Restarter {
  readonly #context: Context
  readonly #attempts = new Map<string, Attempts>()

  constructor(context: Context) {
    this.#context = context
    context.signal.addEventListener('abort', () => {
      for (const { timer } of this.#attempts.values()) clearTimeout(timer)
    })
  }

  /**
   * Writes down why the copy does not run, and starts it again when its time has come. In the manifest's lane.
   * @param containers those to start; none: the whole copy
   */
  async schedule(
    manifest: StoredManifest,
    copy: StoredWorkload,
    { containers, reason, graceMs }: { containers: readonly string[]; reason: string; graceMs?: number }
  ): Promise<void> {
    const { now, table, log } = this.#context
    const before = this.#attempts.get(copy.workloadId)
    if (before?.timer !== undefined) return
    const ranLong = before !== undefined && now() - before.lastMs > RESTART_BACKOFF_MS.forgetAfter
    const count = (ranLong ? 0 : (before?.count ?? 0)) + 1
    const waitMs =
      count === 1 ? 0 : Math.min(RESTART_BACKOFF_MS.first * 2 ** (count - 2), RESTART_BACKOFF_MS.last)
    const message =
      waitMs === 0
        ? reason
        : `CrashLoopBackOff: ${reason}; restart ${count} in ${Math.round(waitMs / 1000)} s`
    const failed: StoredWorkload = { ...copy, state: 'failed', message: safeText(message, 1000) }
    try {
      await table.putWorkload(manifest.manifestId, failed)
    } catch (error) {
      log.error('%s: its state is not written: %e', copy.workloadId, error) // a full disk must not keep it from being started again
    }
    tell(this.#context, manifest, failed)
    announce(this.#context, manifest.manifestId)
    const again = () =>
      void this.#restart(manifest, copy, { containers, graceMs }).catch((error: unknown) =>
        log.error('restart of %s: %e', copy.workloadId, error)
      )
    this.#attempts.set(copy.workloadId, { count, timer: setTimeout(again, waitMs), lastMs: now() })
  }

  /** Whether it is going to be started again. */
  isDue(workloadId: string): boolean {
    return this.#attempts.get(workloadId)?.timer !== undefined
  }

  /** Copies with restarts that are remembered. */
  get remembered(): number {
    return this.#attempts.size
  }

  /** Forgets copies that are gone. */
  tidy(): void {
    if (this.#attempts.size === 0) return
    const here = new Set(
      this.#context.table
        .live()
        .flatMap(allCopies)
        .map(({ workloadId }) => workloadId)
    )
    for (const [workloadId, { timer }] of this.#attempts)
      if (!here.has(workloadId)) {
        clearTimeout(timer)
        this.#attempts.delete(workloadId)
      }
  }

  async #restart(
    manifest: StoredManifest,
    copy: StoredWorkload,
    { containers, graceMs }: { containers: readonly string[]; graceMs?: number }
  ): Promise<void> {
    const { lanes, now, log, signal } = this.#context
    const attempts = this.#attempts.get(copy.workloadId)
    await lanes.run(formatManifestId(manifest.manifestId), async () => {
      if (attempts !== undefined) {
        attempts.timer = undefined
        attempts.lastMs = now()
      }
      const current = findCurrent(this.#context, manifest, copy)
      if (current === undefined) this.#attempts.delete(copy.workloadId)
      if (signal.aborted || current === undefined || RUNNING.has(current.state)) return
      tell(this.#context, manifest, current, { type: 'restarted', reason: `restart ${attempts?.count ?? 1}` })
      try {
        await this.#start(manifest, current, { containers, graceMs })
      } catch (error) {
        if (signal.aborted) return
        log.error('restart of %s: %e', copy.workloadId, error)
        await this.schedule(manifest, current, { containers: [], reason: toError(error).message })
      }
    })
  }

  async #start(
    manifest: StoredManifest,
    copy: StoredWorkload,
    { containers, graceMs }: { containers: readonly string[]; graceMs?: number }
  ): Promise<void> {
    const context = this.#context
    const { manifest: opened } = await openStored(context, manifest.owner, manifest)
    const engine = context.init.engines.get(copy.engine)
    const isHeld = context.init.fencing?.().isHeld(manifest.manifestId, copy.ordinal) ?? true
    if (containers.length > 0 && isHeld) {
      try {
        await permit(context, manifest, copy)
        for (const container of containers)
          await engine.restart(copy.workloadId, container, { graceMs, signal: context.signal })
        await context.guarded.refresh(copy.workloadId)
        const running: StoredWorkload = {
          ...copy,
          state: 'running',
          startedAtMs: context.now(),
          message: undefined
        }
        await context.table.putWorkload(manifest.manifestId, running)
        tell(context, manifest, running)
        context.probe(manifest, running, opened)
        announce(context, manifest.manifestId)
        return
      } catch (error) {
        context.signal.throwIfAborted()
        context.log('restart of %s in place: %e', copy.workloadId, error)
      }
    }
    await removeCopy(context, copy, 0)
    const { workload } = await startCopy(context, manifest, { manifest: opened, copy, report: () => {} })
    announce(context, manifest.manifestId)
    // what waits for its lease is started when it has it
    if (workload.state === 'failed' && workload.fenced !== true)
      await this.schedule(manifest, workload, {
        containers: [],
        reason: workload.message ?? 'it did not start'
      })
  }
}

/** The copy as it stands in the table now; undefined when it, or its version, is gone. */
export function findCurrent(
  context: Context,
  manifest: StoredManifest,
  copy: StoredWorkload
): StoredWorkload | undefined {
  const stored = context.table.get(manifest.manifestId)
  if (stored === undefined || stored.tombstone || stored.version !== manifest.version) return undefined
  return stored.workloads.find(({ workloadId }) => workloadId === copy.workloadId)
}

/** Why a container does not run, for people: memory, a signal, or its exit code. */
export function describeEnd({ name, oomKilled, signal, exitCode }: EngineContainer): string {
  if (oomKilled) return `container ${name} used more memory than its limit and was killed`
  if (signal !== undefined) return `container ${name} was ended by ${signal} (${exitCode})`
  return exitCode === undefined ? `container ${name} is gone` : `container ${name} ended with ${exitCode}`
}

/** All ends of a workload in one sentence. */
export function describeEnds(seen: EngineWorkload | undefined): string {
  if (seen === undefined) return 'the engine does not know it any more'
  const ended = seen.containers.filter(({ state }) => state !== 'running')
  return ended.length === 0 ? (seen.message ?? 'it does not run') : ended.map(describeEnd).join('; ')
}

import { timeoutSignal } from '../../common/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import type { EngineContainer, EngineWorkload } from '../../runtime/index.ts'
import { LABELS } from '../constants.ts'
import { announce, type Context, nodeLabels, RUNNING } from '../context.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { CronRunner } from './cron.ts'
import { onJobCopyEnded, tidyJob } from './job.ts'
import { describeEnds, findCurrent, Restarter } from './restart.ts'
import { tell } from './transition.ts'

/** Compares what should run with what the engines say, and puts it right. */
export class Watcher {
  readonly #context: Context
  readonly restarter: Restarter
  readonly #cron: CronRunner

  constructor(context: Context) {
    this.#context = context
    this.restarter = new Restarter(context)
    this.#cron = new CronRunner(context)
  }

  /** One round. Engines that do not answer are asked again in the next. */
  async look(): Promise<void> {
    const { table, init, log } = this.#context
    const engines = new Set(table.live().flatMap(({ workloads }) => workloads.map(({ engine }) => engine)))
    for (const name of engines) {
      try {
        const signal = AbortSignal.any([this.#context.signal, timeoutSignal(10_000)])
        const seen = await init.engines.get(name).list({ labels: nodeLabels(this.#context) }, { signal })
        const byId = new Map(seen.map((one) => [one.workloadId, one]))
        for (const manifest of table.live())
          for (const copy of manifest.workloads)
            if (copy.engine === name) this.#judge(manifest, copy, byId.get(copy.workloadId))
      } catch (error) {
        log.error('engine %s does not answer: %e', name, error)
      }
    }
    for (const manifest of table.live()) {
      if (manifest.cron !== undefined) {
        this.#cron.look(manifest)
        continue
      }
      const isJob = manifest.job !== undefined
      if (isJob) tidyJob(this.#context, manifest)
      // whatever a Job's policy: a pod of it that never began has not ended, and how one ends is judged elsewhere
      if ((isJob || manifest.restartPolicy !== 'Never') && manifest.next === undefined) this.#retry(manifest)
    }
    await this.#context.usage.look(table.live(), this.#context.signal)
    this.restarter.tidy()
  }

  /** A container that must not go on running as it is: a probe says so. */
  async onDead(
    manifest: StoredManifest,
    copy: StoredWorkload,
    { container, reason, graceMs }: { container: string; reason: string; graceMs: number }
  ): Promise<void> {
    await this.#context.lanes.run(formatManifestId(manifest.manifestId), async () => {
      const current = findCurrent(this.#context, manifest, copy)
      if (current === undefined || !RUNNING.has(current.state)) return
      await this.restarter.schedule(manifest, current, {
        containers: [container],
        reason: `container ${container}: ${reason}`,
        graceMs
      })
    })
  }

  #judge(manifest: StoredManifest, copy: StoredWorkload, seen: EngineWorkload | undefined): void {
    if (!RUNNING.has(copy.state) || manifest.next !== undefined) return
    const ended = seen?.containers.filter(({ state }) => state === 'exited' || state === 'unknown') ?? []
    if (seen?.state === 'starting' || (seen?.state === 'running' && ended.length === 0)) return
    void this.#onEnded(manifest, copy, { seen, ended }).catch((error: unknown) =>
      this.#context.log.error('%s: %e', copy.workloadId, error)
    )
  }

  /** A copy that could not be started, as after a rollout that turned back, is nobody's else to try again: keepers see who has it. */
  #retry(manifest: StoredManifest): void {
    const context = this.#context
    const isLeft = ({ state, fenced, endedAtMs, workloadId }: StoredWorkload) =>
      state === 'failed' && fenced !== true && endedAtMs === undefined && !this.restarter.isDue(workloadId)
    for (const copy of manifest.workloads.filter(isLeft))
      void context.lanes
        .run(formatManifestId(manifest.manifestId), async () => {
          const current = findCurrent(context, manifest, copy)
          if (current === undefined || !isLeft(current)) return
          const reason = current.message ?? 'it did not start'
          await this.restarter.schedule(manifest, current, { containers: [], reason })
        })
        .catch((error: unknown) => context.log.error('%s: %e', copy.workloadId, error))
  }

  /** In the manifest's lane, so that an update or delete under way is not taken for an end. */
  async #onEnded(
    manifest: StoredManifest,
    copy: StoredWorkload,
    { seen, ended }: { seen: EngineWorkload | undefined; ended: readonly EngineContainer[] }
  ): Promise<void> {
    const context = this.#context
    await context.lanes.run(formatManifestId(manifest.manifestId), async () => {
      const current = findCurrent(context, manifest, copy)
      if (current === undefined || !RUNNING.has(current.state)) return
      const reason = describeEnds(seen)
      if (manifest.job !== undefined) return onJobCopyEnded(context, this.restarter, manifest, current, seen)
      const again = ended
        .filter(({ exitCode }) => isRestarted(manifest.restartPolicy, exitCode))
        .map(({ name }) => name)
      if (seen === undefined || again.length > 0)
        return this.restarter.schedule(manifest, current, {
          containers: seen === undefined ? [] : again,
          reason
        })
      if (seen.state === 'running') return // one container of several has ended, and is to stay so
      const state = seen.state === 'stopped' ? 'stopped' : 'failed'
      const workload: StoredWorkload = { ...current, state, message: reason }
      context.unprobe(current)
      await context.table.putWorkload(manifest.manifestId, workload)
      tell(context, manifest, workload)
      announce(context, manifest.manifestId)
    })
  }
}

function isRestarted(policy: StoredManifest['restartPolicy'], exitCode: number | undefined): boolean {
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

/** The workload ID an engine's workload carries, when it is this node's. */
export function ownWorkloadId(context: Context, seen: EngineWorkload): string | undefined {
  return seen.labels[LABELS.node] === context.init.key.peerId ? seen.workloadId : undefined
}

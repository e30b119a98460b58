import { formatManifestId, lastRun, workloadName } from '../../manifest/index.ts'
import { type Context, openStored, RUNNING } from '../context.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
import { removeCopy } from './deploy.ts'
import { firstCompletion, slotNumber } from './job.ts'
import { startCopy } from './release.ts'

/** Starts the runs of CronJobs when their slot has come. A slot runs at least once: it is marked before it is started. */
export class CronRunner {
  readonly #context: Context
  readonly #busy = new Set<string>()

  constructor(context: Context) {
    this.#context = context
  }

  look(manifest: StoredManifest): void {
    const { cron } = manifest
    const lane = formatManifestId(manifest.manifestId)
    if (cron === undefined || cron.suspend || this.#busy.has(lane)) return
    const slotMs = manifest.openSlots?.[0] ?? this.#dueSlot(manifest)
    if (slotMs === undefined) return
    this.#busy.add(lane)
    void this.#context.lanes
      .run(lane, () => this.#startSlot(manifest, slotMs))
      .catch((error: unknown) => this.#context.log.error('cron %s: %e', lane, error))
      .finally(() => this.#busy.delete(lane))
  }

  /** The last slot that is due and was not run; undefined when there is none. Those missed before it are not made up for. */
  #dueSlot({ cron, lastSlotMs, acceptedAtMs }: StoredManifest): number | undefined {
    const nowMs = this.#context.now()
    const due = lastRun(cron!, lastSlotMs ?? acceptedAtMs, nowMs)
    const late =
      due !== undefined && cron!.startingDeadlineMs !== undefined && nowMs - due > cron!.startingDeadlineMs
    return late ? undefined : due
  }

  async #startSlot(manifest: StoredManifest, slotMs: number): Promise<void> {
    const context = this.#context
    const current = context.table.get(manifest.manifestId)
    if (current === undefined || current.tombstone || current.version !== manifest.version) return
    if (current.cron === undefined || current.job === undefined) return
    const going = current.workloads.filter(({ state }) => RUNNING.has(state))
    const { concurrencyPolicy } = current.cron
    const isLeftOver = current.openSlots?.includes(slotMs) === true
    if (isLeftOver && going.length > 0 && concurrencyPolicy === 'Forbid') return // its turn comes
    const marked = {
      ...current,
      lastSlotMs: Math.max(slotMs, current.lastSlotMs ?? 0),
      openSlots: current.openSlots?.filter((one) => one !== slotMs)
    }
    if (going.length > 0 && concurrencyPolicy === 'Forbid') return context.table.put(marked)
    const replaced = concurrencyPolicy === 'Replace' ? going : []
    for (const copy of replaced) await removeCopy(context, copy, current.graceMs)
    const kept = await this.#withinHistory(current, replaced)
    const isHere = (ordinal: number) =>
      current.workloads.some((copy) => copy.slotMs === slotMs && copy.ordinal === ordinal)
    const fresh = (current.slotOrdinals ?? [0])
      .filter((ordinal) => !isHere(ordinal))
      .flatMap((ordinal) => this.#plan(current, ordinal, slotMs))
    await context.table.put({ ...marked, workloads: [...kept, ...fresh] })
    const { manifest: opened } = await openStored(context, current.owner, current)
    for (const copy of fresh) await startCopy(context, current, { manifest: opened, copy, report: () => {} })
  }

  #plan(manifest: StoredManifest, ordinal: number, slotMs: number): StoredWorkload[] {
    const { manifestId, version, name, job } = manifest
    const progress = firstCompletion(job!, ordinal)
    if (progress === undefined) return []
    const node = this.#context.init.key.publicKey
    const workloadId = workloadName({ name, manifestId, version, ordinal: slotNumber(slotMs, ordinal), node })
    const engine = manifest.slotEngine ?? 'podman'
    return [{ workloadId, ordinal, engine, state: 'accepted', ports: [], job: progress, slotMs }]
  }

  /** Runs that are over stay for their logs, as many as the manifest says; the others are removed. */
  async #withinHistory(
    manifest: StoredManifest,
    replaced: readonly StoredWorkload[]
  ): Promise<StoredWorkload[]> {
    const { cron, workloads } = manifest
    const newestFirst = [...workloads]
      .filter((copy) => !replaced.includes(copy))
      .sort((a, b) => (b.slotMs ?? 0) - (a.slotMs ?? 0))
    const ofState = (state: StoredWorkload['state']) => newestFirst.filter((copy) => copy.state === state)
    const old = [
      ...ofState('stopped').slice(cron!.successfulHistory),
      ...ofState('failed').slice(cron!.failedHistory)
    ]
    for (const copy of old) await removeCopy(this.#context, copy, 0)
    return newestFirst.filter((copy) => !old.includes(copy))
  }
}

import type { ComponentLogger } from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import { delay, repeat } from '../common/index.ts'
import {
  APPLY_REQUEST,
  DELETE_REQUEST,
  EVICT_REQUEST,
  EXEC_REQUEST,
  FETCH_REQUEST,
  QUERY
} from '../generated/fbs/index.ts'
import { formatManifestId, type Manifest, probesOf } from '../manifest/index.ts'
import type { ProvidersService } from '../providers/index.ts'
import type { SealingKey } from '../sealing/index.ts'
import { type Assignment, acceptCopies } from './accept/accept-copies.ts'
import { bury, dropCopies } from './accept/drop-copies.ts'
import { passBy } from './accept/pass-by.ts'
import {
  MAX_CONCURRENT_DEPLOYMENTS,
  MAX_QUEUED_DEPLOYMENTS,
  SWEEP_INTERVAL_MS,
  WATCH_INTERVAL_MS
} from './constants.ts'
import { announce, type Context, openStoredKey } from './context.ts'
import { Capacity, type NodeResources } from './copies/capacity.ts'
import { Gate, Lanes } from './copies/lanes.ts'
import { recover } from './copies/recover.ts'
import { setReady } from './copies/transition.ts'
import { Watcher } from './copies/watch.ts'
import { EventLog } from './event-log.ts'
import { extendLease, fenceCopies, unfenceCopies } from './fenced/fence-copies.ts'
import { Guarded } from './fenced/guarded.ts'
import { ManifestTable } from './manifest-table.ts'
import type { OpenedRecord } from './open-record.ts'
import { Prober } from './probes/prober.ts'
import { reseal } from './reseal.ts'
import { type Claimant, type Freeable, freedBy, preemptible } from './resources/preempt.ts'
import { Usage } from './resources/usage.ts'
import type {
  FenceLease,
  StoredManifest,
  StoredWorkload,
  WorkloadEvent,
  WorkloadsEvents,
  WorkloadsInit,
  WorkloadsService
} from './types.ts'
import { apply } from './verbs/apply.ts'
import { finishRemoval, remove } from './verbs/delete.ts'
import { events } from './verbs/events.ts'
import { evict } from './verbs/evict.ts'
import { exec } from './verbs/exec.ts'
import { fetch } from './verbs/fetch.ts'
import { inspect } from './verbs/inspect.ts'
import { logs } from './verbs/logs.ts'
import { status } from './verbs/status.ts'

export interface WorkloadsComponents {
  readonly logger: ComponentLogger
  /** The providers service, under this name. */
  readonly providers: ProvidersService
}

/** Lifecycle and wiring; each verb has a file of its own. */
export class Workloads extends TypedEventEmitter<WorkloadsEvents> implements WorkloadsService {
  readonly [Symbol.toStringTag] = '@beemesh/workloads'
  readonly [serviceCapabilities]: string[] = ['@beemesh/workloads']
  readonly [serviceDependencies]: string[] = ['@beemesh/providers']
  readonly #context: Context
  readonly #events: EventLog
  readonly #stop = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  readonly #prober = new Prober(this.#stop.signal)
  readonly #watcher: Watcher

  constructor(components: WorkloadsComponents, init: WorkloadsInit) {
    super()
    const log = components.logger.forComponent('beemesh:workloads')
    const table = new ManifestTable(init.store)
    const { guard, engines } = init
    this.#events = new EventLog(init.store, log, init.maxEvents)
    this.#context = {
      init,
      now: init.now ?? Date.now,
      table,
      lanes: new Lanes(),
      gate: new Gate(init.maxConcurrentDeployments ?? MAX_CONCURRENT_DEPLOYMENTS, MAX_QUEUED_DEPLOYMENTS),
      providers: components.providers,
      log,
      signal: this.#stop.signal,
      takenPorts: new Set(),
      leaving: new Set(),
      guarded: new Guarded({ guard, engines, table, log }),
      capacity: new Capacity({
        ...init.capacity,
        storagePath: init.storagePath,
        manifests: () => table.all()
      }),
      usage: new Usage(init.engines),
      isReady: ({ workloadId }) => this.#prober.isReady(workloadId),
      probe: (manifest, copy, opened) => this.#probe(manifest, copy, opened),
      unprobe: ({ workloadId }) => this.#prober.forget(workloadId),
      reach: (point) => init.onFaultPoint?.(point),
      emit: (event) => this.#emit(event),
      recentEvents: () => this.#events.recent(),
      onEvent: (listener) => {
        const onWorkload = ({ detail }: CustomEvent<WorkloadEvent>) => listener(detail)
        this.addEventListener('workload', onWorkload)
        return () => this.removeEventListener('workload', onWorkload)
      }
    }
    this.#watcher = new Watcher(this.#context)
    init.doors.open('apply', APPLY_REQUEST, (request) => apply(this.#context, request))
    init.doors.open('delete', DELETE_REQUEST, (request) => remove(this.#context, request))
    init.doors.open('evict', EVICT_REQUEST, (request) => evict(this.#context, request))
    init.doors.open('inspect', QUERY, (request) => inspect(this.#context, request))
    init.doors.open('fetch', FETCH_REQUEST, (request) => fetch(this.#context, request))
    init.doors.open('status', QUERY, (request) => status(this.#context, request))
    init.doors.open('exec', EXEC_REQUEST, (request) => exec(this.#context, request))
    init.doors.open('events', QUERY, (request) => events(this.#context, request))
    init.doors.open('logs', QUERY, (request) => logs(this.#context, request))
  }

  async start(): Promise<void> {
    await this.#context.table.open(this.#context.now())
    await this.#events.open()
    await this.#context.capacity.refresh()
    await this.#context.guarded.open()
    this.#track((await recover(this.#context)).rest)
    this.#track(this.#watch())
    const { log, now, table } = this.#context
    const onError = (error: unknown) => log.error('tombstones: %e', error)
    this.#track(repeat(SWEEP_INTERVAL_MS, () => table.sweep(now()), { signal: this.#stop.signal, onError }))
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled([...this.#running, this.#context.lanes.idle()])
    await this.#events.flush()
  }

  list(): StoredManifest[] {
    return this.#context.table.live()
  }

  recentEvents(): readonly WorkloadEvent[] {
    return this.#events.recent()
  }

  reseal(from: SealingKey, to: SealingKey): Promise<void> {
    return reseal(this.#context, from, to)
  }

  resources(): NodeResources {
    return this.#context.capacity.view()
  }

  freeable(claimant: Claimant): Freeable {
    const { table, init } = this.#context
    return freedBy(preemptible(table.live(), claimant, init.ownOwners ?? new Set()))
  }

  get(manifestId: Uint8Array): StoredManifest | undefined {
    return this.#context.table.get(manifestId)
  }

  assign(assignment: Omit<Assignment, 'signal'>): Promise<StoredManifest> {
    const { signal } = this.#stop
    return this.#inLane(assignment.record.manifestId, () =>
      acceptCopies(this.#context, { ...assignment, signal })
    )
  }

  drop(
    manifestId: Uint8Array,
    ordinals: readonly number[],
    drained?: ReadonlyMap<number, string>
  ): Promise<void> {
    return this.#inLane(manifestId, () => dropCopies(this.#context, manifestId, ordinals, { drained }))
  }

  leave(manifestId: Uint8Array, ordinals: readonly number[], isLeaving: boolean): void {
    const { leaving } = this.#context
    for (const ordinal of ordinals)
      leaving[isLeaving ? 'add' : 'delete'](`${formatManifestId(manifestId)} ${ordinal}`)
    announce(this.#context, manifestId)
  }

  async bury(record: OpenedRecord, bytes: Uint8Array): Promise<void> {
    await this.#inLane(record.manifestId, async () => {
      const existing = this.#context.table.get(record.manifestId)
      if (existing === undefined || existing.highest.version > record.version) return
      await finishRemoval(this.#context, await bury(this.#context, existing, { record, bytes }))
    })
  }

  passBy(release: Pick<StoredManifest, 'manifestId' | 'version'>): Promise<void> {
    return this.#inLane(release.manifestId, () => passBy(this.#context, release))
  }

  fence(manifestId: Uint8Array, ordinal: number): Promise<void> {
    return this.#inLane(manifestId, () => fenceCopies(this.#context, manifestId, ordinal))
  }

  unfence(manifestId: Uint8Array, ordinal: number): Promise<void> {
    const { restarter } = this.#watcher
    return this.#inLane(manifestId, () => unfenceCopies(this.#context, { manifestId, ordinal, restarter }))
  }

  extend(manifestId: Uint8Array, ordinal: number, lease: FenceLease & { isNew: boolean }): Promise<void> {
    return extendLease(this.#context, manifestId, ordinal, lease)
  }

  guardedUntil(workloadId: string): Promise<number | undefined> {
    return this.#context.guarded.untilMs(workloadId)
  }

  async contentKeyOf(manifestId: Uint8Array, version: number): Promise<Uint8Array | undefined> {
    const stored = this.#context.table.get(manifestId)
    const release = [stored, stored?.next].find(
      (one) => one?.version === version && one.content !== undefined
    )
    if (stored === undefined || release === undefined) return undefined
    return openStoredKey(this.#context, stored.owner, release)
  }

  /** The node waits for it when it stops. */
  #inLane<T>(manifestId: Uint8Array, act: () => Promise<T>): Promise<T> {
    return this.#context.lanes.run(formatManifestId(manifestId), act)
  }

  #probe(
    manifest: Pick<StoredManifest, 'manifestId' | 'owner' | 'version' | 'graceMs'>,
    copy: StoredWorkload,
    opened: Manifest
  ): void {
    const { table } = this.#context
    const stored = () => table.get(manifest.manifestId)
    this.#prober.watch({
      workloadId: copy.workloadId,
      engine: this.#context.init.engines.get(copy.engine),
      probes: probesOf(opened),
      onReady: (ready) =>
        void setReady(this.#context, manifest, copy.workloadId, ready).catch((error: unknown) =>
          this.#context.log.error('%s: whether it is ready is not written: %e', copy.workloadId, error)
        ),
      onDead: (container, reason, graceMs = manifest.graceMs) => {
        const current = stored()
        if (current === undefined) return
        void this.#watcher
          .onDead(current, copy, { container, reason, graceMs })
          .catch((error: unknown) => this.#context.log.error('%s: %e', copy.workloadId, error))
      }
    })
  }

  #emit(event: WorkloadEvent): void {
    this.#events.add(event)
    this.safeDispatchEvent('workload', { detail: event })
  }

  #track(work: Promise<unknown>): void {
    this.#running.add(work)
    work.then(
      () => this.#running.delete(work),
      () => this.#running.delete(work)
    )
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await delay(this.#context.init.watchIntervalMs ?? WATCH_INTERVAL_MS, { signal }).catch(() => {})
      if (!signal.aborted) await this.#watcher.look()
    }
  }
}

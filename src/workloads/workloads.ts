import type { ComponentLogger } from '@libp2p/interface'
import { serviceCapabilities, serviceDependencies } from '@libp2p/interface'
import { delay } from '../common/index.ts'
import { APPLY_REQUEST, DELETE_REQUEST, QUERY } from '../generated/fbs/index.ts'
import type { ProvidersService } from '../providers/index.ts'
import { MAX_CONCURRENT_DEPLOYMENTS, MAX_QUEUED_DEPLOYMENTS, WATCH_INTERVAL_MS } from './constants.ts'
import type { Context } from './context.ts'
import { Gate, Lanes } from './copies/lanes.ts'
import { recover } from './copies/recover.ts'
import { Watcher } from './copies/watch.ts'
import { ManifestTable } from './manifest-table.ts'
import type { StoredManifest, WorkloadsInit, WorkloadsService } from './types.ts'
import { apply } from './verbs/apply.ts'
import { remove } from './verbs/delete.ts'
import { logs } from './verbs/logs.ts'
import { status } from './verbs/status.ts'

export interface WorkloadsComponents {
  readonly logger: ComponentLogger
  /** The providers service, under this name. */
  readonly providers: ProvidersService
}

/** Lifecycle and wiring; each verb has a file of its own. */
export class Workloads implements WorkloadsService {
  readonly [Symbol.toStringTag] = '@beemesh/workloads'
  readonly [serviceCapabilities]: string[] = ['@beemesh/workloads']
  readonly [serviceDependencies]: string[] = ['@beemesh/providers']
  readonly #context: Context
  readonly #stop = new AbortController()
  readonly #running = new Set<Promise<unknown>>()

  constructor(components: WorkloadsComponents, init: WorkloadsInit) {
    this.#context = {
      init,
      now: init.now ?? Date.now,
      table: new ManifestTable(init.store),
      lanes: new Lanes(),
      gate: new Gate(init.maxConcurrentDeployments ?? MAX_CONCURRENT_DEPLOYMENTS, MAX_QUEUED_DEPLOYMENTS),
      providers: components.providers,
      log: components.logger.forComponent('beemesh:workloads'),
      signal: this.#stop.signal,
      takenPorts: new Set()
    }
    init.doors.open('apply', APPLY_REQUEST, (request) => apply(this.#context, request))
    init.doors.open('delete', DELETE_REQUEST, (request) => remove(this.#context, request))
    init.doors.open('status', QUERY, (request) => status(this.#context, request))
    init.doors.open('logs', QUERY, (request) => logs(this.#context, request))
  }

  async start(): Promise<void> {
    await this.#context.table.open(this.#context.now())
    this.#track((await recover(this.#context)).rest)
    this.#track(this.#watch())
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled([...this.#running, this.#context.lanes.idle()])
  }

  list(): StoredManifest[] {
    return this.#context.table.live()
  }

  #track(work: Promise<unknown>): void {
    this.#running.add(work)
    work.then(
      () => this.#running.delete(work),
      () => this.#running.delete(work)
    )
  }

  async #watch(): Promise<void> {
    const watcher = new Watcher(this.#context)
    const { signal } = this.#stop
    while (!signal.aborted) {
      await delay(WATCH_INTERVAL_MS, { signal }).catch(() => {})
      if (!signal.aborted) await watcher.look()
    }
  }
}

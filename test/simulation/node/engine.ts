import { RuntimeError } from '../../../src/runtime/index.ts'
import type {
  DeployOptions,
  DeployRequest,
  EngineStats,
  EngineWorkload,
  RuntimeEngine
} from '../../../src/runtime/types.ts'
import { endsByItself } from '../owner/documents.ts'
import type { Host, VirtualClock } from '../time/clock.ts'

export interface EngineSettings {
  /** Share of starts that fail. */
  failures: number
  /** How long a start takes, ms; a share of them takes up to five times the longest, as for an image that is pulled. */
  startMs: readonly [number, number]
  /** Of what ends by itself, as a Job does: how long it runs, ms, and the share that ends with an error. */
  readonly runMs: readonly [number, number]
  readonly errors: number
  /** What one copy uses now, thousandths of a CPU, by the label of its manifest. */
  useOf: (manifest: string) => number
}

/** Starts succeed at once, runs of Jobs are short, and nothing is used. */
export function calmEngine(startMs: EngineSettings['startMs']): EngineSettings {
  return { failures: 0, startMs, runMs: [500, 8_000], errors: 0, useOf: () => 0 }
}

/** One run of a container that ends by itself. */
export interface Run {
  readonly workloadId: string
  readonly labels: Readonly<Record<string, string>>
  readonly startedAtMs: number
  /** How it ended; undefined: it has not, or its machine lost power. */
  result?: 'done' | 'error'
}

/** What a machine runs; outlives the node's process, not the machine. */
export class Containers {
  readonly #all = new Map<string, EngineWorkload>()
  readonly #used = new Map<string, { readonly atMs: number; readonly cpuNanos: number }>()
  /** What ended by itself, or was to: as nobody in the mesh can know. */
  readonly runs: Run[] = []
  readonly settings: EngineSettings
  readonly #clock: VirtualClock
  readonly #note: (line: string) => void
  /** Grows with each loss of power: what was being started then does not come. */
  #power = 0

  constructor(clock: VirtualClock, settings: EngineSettings, note: (line: string) => void) {
    this.#clock = clock
    this.settings = settings
    this.#note = note
  }

  running(): EngineWorkload[] {
    return [...this.#all.values()].filter(({ state }) => state === 'running')
  }

  loseAll(): void {
    this.#power++
    this.#all.clear()
  }

  /** Goes on by itself when whoever asked for it dies, as a container engine does. */
  start({ workloadId, pod }: DeployRequest): Promise<EngineWorkload> {
    const { dice } = this.#clock
    const [least, most] = this.settings.startMs
    const ms = dice.between(least, most) * (dice.chance(0.05) ? dice.between(1, 5) : 1)
    const fails = dice.chance(this.settings.failures)
    const power = this.#power
    const { promise, resolve, reject } = Promise.withResolvers<EngineWorkload>()
    this.#clock.after(
      ms,
      undefined,
      () => {
        if (power !== this.#power) return
        this.#note(`${workloadId} ${fails ? 'does not start' : 'runs'}`)
        if (fails) return reject(new RuntimeError('START_FAILED', `${workloadId} was drawn to fail`))
        const workload: EngineWorkload = {
          workloadId,
          state: 'running',
          containers: [{ name: 'main', state: 'running', startedAtMs: Math.floor(this.#clock.nowMs) }],
          labels: pod.metadata.labels,
          ports: [],
          startedAtMs: Math.floor(this.#clock.nowMs)
        }
        this.#all.set(workloadId, workload)
        if (endsByItself(workloadId)) this.#endLater(workload)
        resolve(workload)
      },
      false
    )
    return promise
  }

  stop(workloadId: string): void {
    if (this.#all.delete(workloadId)) this.#note(`${workloadId} ends`)
  }

  #endLater(workload: EngineWorkload): void {
    const { dice } = this.#clock
    const { workloadId, labels, startedAtMs = 0 } = workload
    const run: Run = { workloadId, labels, startedAtMs }
    this.runs.push(run)
    const isBad = dice.chance(this.settings.errors)
    this.#clock.after(dice.between(...this.settings.runMs), undefined, () => {
      if (this.#all.get(workloadId) !== workload) return
      run.result = isBad ? 'error' : 'done'
      this.#note(`${workloadId} is ${isBad ? 'over with an error' : 'done'}`)
      const [container] = workload.containers
      this.#all.set(workloadId, {
        ...workload,
        state: isBad ? 'failed' : 'stopped',
        containers: [{ ...container!, state: 'exited', exitCode: isBad ? 1 : 0 }]
      })
    })
  }

  /** What it used since it was asked for last is taken to have been what it uses now. */
  #statsOf({ workloadId, labels, startedAtMs = 0 }: EngineWorkload): EngineStats {
    const atMs = Math.floor(this.#clock.nowMs)
    const before = this.#used.get(workloadId) ?? { atMs: startedAtMs, cpuNanos: 0 }
    const use = this.settings.useOf(labels['beemesh.io/manifest'] ?? '')
    const cpuNanos = before.cpuNanos + (atMs - before.atMs) * use * 1_000
    this.#used.set(workloadId, { atMs, cpuNanos })
    const nothing = { networkRxBytes: 0, networkTxBytes: 0, blockReadBytes: 0, blockWriteBytes: 0, pids: 1 }
    return { workloadId, atMs, cpuNanos, memoryBytes: 2 ** 20, ...nothing }
  }

  /** As one process of the node uses it. */
  engineFor(host: Host): RuntimeEngine {
    const clock = this.#clock
    // because an answer comes back to the process that asked, if it is still there
    const back = <T>(value: T) =>
      new Promise<T>((resolve) => {
        clock.after(0, host, () => resolve(value))
      })
    const hear = async <T>(promise: Promise<T>): Promise<T> => {
      const settled = await promise.then(
        (value) => () => value,
        (error: unknown) => (): T => {
          throw error
        }
      )
      return (await back(settled))()
    }
    const refuse = () => {
      throw new RuntimeError('RESTART_FAILED', 'the simulated engine only starts anew')
    }
    return {
      name: 'mock',
      isAvailable: async () => ({ available: true }),
      validate: async () => {},
      processes: async () => [],
      deploy: async (request, { signal, onState }: DeployOptions = {}) => {
        signal?.throwIfAborted()
        if (this.#all.has(request.workloadId))
          throw new RuntimeError('NAME_IN_USE', `${request.workloadId} is there already`)
        onState?.('starting')
        return hear(this.start(request))
      },
      status: async (workloadId) => this.#all.get(workloadId),
      list: async ({ labels }) =>
        [...this.#all.values()].filter((one) =>
          Object.entries(labels).every(([key, value]) => one.labels[key] === value)
        ),
      restart: async () => refuse(),
      exec: async () => ({ exitCode: 0 }),
      stats: async (workloadIds) =>
        this.running().flatMap((one) =>
          workloadIds?.includes(one.workloadId) === false ? [] : [this.#statsOf(one)]
        ),
      async *logs() {},
      remove: async (workloadId, { graceMs = 0 } = {}) => {
        if (!this.#all.has(workloadId)) return
        await hear(
          new Promise<void>((resolve) => {
            clock.after(
              clock.dice.between(5, 200) + Math.min(graceMs, 1_000) * clock.dice.next(),
              undefined,
              () => {
                this.stop(workloadId)
                resolve()
              }
            )
          })
        )
      },
      removeVolumes: async () => {},
      close: async () => {}
    }
  }
}

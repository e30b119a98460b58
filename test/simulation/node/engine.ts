import { RuntimeError } from '../../../src/runtime/index.ts'
import type {
  DeployOptions,
  DeployRequest,
  EngineWorkload,
  RuntimeEngine
} from '../../../src/runtime/types.ts'
import type { Host, VirtualClock } from '../time/clock.ts'

export interface EngineSettings {
  /** Share of starts that fail. */
  failures: number
  /** How long a start takes, ms; a share of them takes up to five times the longest, as for an image that is pulled. */
  startMs: readonly [number, number]
}

/** What a machine runs; outlives the node's process, not the machine. */
export class Containers {
  readonly running = new Map<string, EngineWorkload>()
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

  loseAll(): void {
    this.#power++
    this.running.clear()
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
        this.running.set(workloadId, workload)
        resolve(workload)
      },
      false
    )
    return promise
  }

  stop(workloadId: string): void {
    if (this.running.delete(workloadId)) this.#note(`${workloadId} ends`)
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
        if (this.running.has(request.workloadId))
          throw new RuntimeError('NAME_IN_USE', `${request.workloadId} is there already`)
        onState?.('starting')
        return hear(this.start(request))
      },
      status: async (workloadId) => this.running.get(workloadId),
      list: async ({ labels }) =>
        [...this.running.values()].filter((one) =>
          Object.entries(labels).every(([key, value]) => one.labels[key] === value)
        ),
      restart: async () => refuse(),
      exec: async () => ({ exitCode: 0 }),
      stats: async () => [],
      async *logs() {},
      remove: async (workloadId, { graceMs = 0 } = {}) => {
        if (!this.running.has(workloadId)) return
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

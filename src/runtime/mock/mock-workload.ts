import { EventEmitter, on } from 'node:events'
import { hostPortsOf } from '../pod-fields.ts'
import type { DeployRequest, EngineContainer, EngineWorkload, LogLine, LogsOptions } from '../types.ts'
import { toWorkloadState } from '../workload-state.ts'
import { sumLimits } from './limits.ts'
import type { MockScript, MockWorkloadConfig } from './types.ts'

/** One pretended workload: containers that are only words, and the lines they "wrote". */
export class MockWorkload {
  readonly request: DeployRequest
  readonly config: MockWorkloadConfig
  readonly #containers = new Map<string, EngineContainer>()
  readonly #lines: LogLine[] = []
  readonly #changes = new EventEmitter().setMaxListeners(0)
  readonly #now: () => number
  readonly #startedAtMs: number

  constructor(request: DeployRequest, portMapping: boolean, now: () => number) {
    this.request = request
    this.#now = now
    this.#startedAtMs = now()
    this.config = {
      files: request.files,
      labels: request.pod.metadata.labels,
      ports: portMapping ? hostPortsOf(request.pod) : [],
      ...sumLimits(request.pod)
    }
  }

  start(script: (container: DeployRequest['pod']['spec']['containers'][number]) => MockScript): void {
    for (const container of this.request.pod.spec.containers) {
      const { lines = [], exitCode } = script(container)
      this.#containers.set(container.name, {
        name: container.name,
        state: 'running',
        startedAtMs: this.#now()
      })
      for (const line of lines) this.say(container.name, line)
      if (exitCode !== undefined) this.exit(container.name, exitCode)
    }
  }

  say(container: string, line: string): void {
    this.#lines.push({ container, stream: 'stdout', timestampMs: this.#now(), line })
    this.#changes.emit('change')
  }

  /** False when there is no such container. */
  exit(container: string, exitCode: number): boolean {
    const known = this.#containers.get(container)
    if (known === undefined) return false
    this.#containers.set(container, { ...known, state: 'exited', exitCode, finishedAtMs: this.#now() })
    this.#changes.emit('change')
    return true
  }

  /** Ends every container that still runs, as SIGKILL would. */
  kill(): void {
    for (const { name, state } of this.#containers.values()) if (state === 'running') this.exit(name, 137)
  }

  has(container: string): boolean {
    return this.#containers.has(container)
  }

  describe(): EngineWorkload {
    const containers = [...this.#containers.values()]
    const state = toWorkloadState(containers)
    const failed = containers.find(({ exitCode = 0 }) => exitCode !== 0)
    return {
      workloadId: this.request.workloadId,
      state,
      containers,
      labels: this.config.labels,
      ports: this.config.ports,
      startedAtMs: this.#startedAtMs,
      ...(failed === undefined ? {} : { message: `container "${failed.name}" ended with ${failed.exitCode}` })
    }
  }

  async *logs({
    follow = false,
    tail,
    sinceMs = 0,
    container,
    signal
  }: LogsOptions): AsyncGenerator<LogLine> {
    signal?.throwIfAborted()
    const wanted = (line: LogLine) =>
      line.timestampMs >= sinceMs && (container === undefined || line.container === container)
    const waiting = new AbortController()
    const changes = on(this.#changes, 'change', {
      signal: signal === undefined ? waiting.signal : AbortSignal.any([signal, waiting.signal])
    })
    try {
      const kept = new Map<string, number>()
      for (const { container: name } of this.#lines.filter(wanted)) kept.set(name, (kept.get(name) ?? 0) + 1)
      let next = 0
      for (let past = this.#lines.length; ; past = this.#lines.length) {
        for (; next < past; next++) {
          const line = this.#lines[next]!
          if (!wanted(line)) continue
          const left = kept.get(line.container) ?? 0
          kept.set(line.container, left - 1)
          if (tail === undefined || left <= tail) yield line
        }
        if (next < this.#lines.length) continue
        if (!follow || !this.#isRunning(container)) return
        await changes.next()
      }
    } catch (error) {
      signal?.throwIfAborted() // because `on` rejects with an AbortError of its own
      throw error
    } finally {
      waiting.abort()
    }
  }

  #isRunning(container: string | undefined): boolean {
    return [...this.#containers.values()].some(
      ({ name, state }) => state === 'running' && (container === undefined || name === container)
    )
  }
}

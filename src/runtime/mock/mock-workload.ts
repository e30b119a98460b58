import { EventEmitter, on } from 'node:events'
import { hostPortsOf } from '../pod-fields.ts'
import type {
  DeployRequest,
  EngineContainer,
  EngineStats,
  EngineWorkload,
  LogLine,
  LogsOptions
} from '../types.ts'
import { describeEnd, SIGKILL_EXIT, toEnd, toWorkloadState } from '../workload-state.ts'
import { sumLimits } from './limits.ts'
import type { MockEngineInit, MockScript, MockWorkloadConfig } from './types.ts'

/** What a workload without a limit says it uses. */
const PRETENDED_BYTES = 2 ** 20

/** One pretended workload: containers that are only words, and the lines they "wrote". */
export class MockWorkload {
  readonly request: DeployRequest
  readonly config: MockWorkloadConfig
  readonly #containers = new Map<string, EngineContainer>()
  readonly #lines: LogLine[] = []
  readonly #changes = new EventEmitter().setMaxListeners(0)
  readonly #now: () => number
  readonly #address: string
  readonly #startedAtMs: number
  readonly #usage: MockEngineInit['usage']
  #burnt = { atMs: 0, cpuNanos: 0 }
  readonly #ends = new Set<NodeJS.Timeout>()
  readonly #processes = new Map<string, number>()

  constructor(
    request: DeployRequest,
    { portMapping = true, now = Date.now, address = '127.0.0.1', usage }: MockEngineInit
  ) {
    this.#usage = usage
    this.#address = address
    this.request = request
    this.#now = now
    this.#startedAtMs = now()
    this.config = {
      files: request.files,
      labels: request.pod.metadata.labels,
      ports: portMapping ? hostPortsOf(request.pod) : [],
      ...sumLimits(request.pod),
      ...(request.pidsLimit === undefined ? {} : { pidsLimit: request.pidsLimit })
    }
  }

  start(script: (container: DeployRequest['pod']['spec']['containers'][number]) => MockScript): void {
    for (const container of this.request.pod.spec.containers) this.startContainer(container.name, script)
  }

  /** Again, when it has ended: what it said before stays. */
  startContainer(
    name: string,
    script: (container: DeployRequest['pod']['spec']['containers'][number]) => MockScript
  ): void {
    for (const container of this.request.pod.spec.containers) {
      if (container.name !== name) continue
      const { lines = [], exitCode, processes = 1, outOfMemory = false, endsAfterMs } = script(container)
      this.#processes.set(name, Math.min(processes, this.config.pidsLimit ?? processes))
      this.#containers.set(container.name, {
        name: container.name,
        state: 'running',
        startedAtMs: this.#now()
      })
      for (const line of lines) this.say(container.name, line)
      if (outOfMemory) this.exit(container.name, SIGKILL_EXIT, true)
      else if (exitCode !== undefined && endsAfterMs === undefined) this.exit(container.name, exitCode)
      else if (exitCode !== undefined)
        this.#ends.add(setTimeout(() => this.exit(container.name, exitCode), endsAfterMs).unref())
    }
  }

  say(container: string, line: string): void {
    this.#lines.push({ container, stream: 'stdout', timestampMs: this.#now(), line })
    this.#changes.emit('change')
  }

  /** False when there is no such container. */
  exit(container: string, exitCode: number, oomKilled = false): boolean {
    const known = this.#containers.get(container)
    if (known === undefined) return false
    this.#containers.set(container, {
      ...known,
      state: 'exited',
      ...toEnd(exitCode, oomKilled),
      finishedAtMs: this.#now()
    })
    this.#changes.emit('change')
    return true
  }

  /** Ends every container that still runs, as SIGKILL would. */
  kill(): void {
    for (const timer of this.#ends) clearTimeout(timer)
    for (const { name, state } of this.#containers.values())
      if (state === 'running') this.exit(name, SIGKILL_EXIT)
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
      address: this.#address,
      ...(failed === undefined ? {} : { message: describeEnd(failed) })
    }
  }

  /** Pretends half of each limit, since it was started; undefined when nothing runs. */
  stats(): EngineStats | undefined {
    const running = [...this.#containers.values()].filter(({ state }) => state === 'running')
    if (running.length === 0) return undefined
    const { cpuMillis, memoryBytes } = this.config
    return {
      workloadId: this.request.workloadId,
      atMs: this.#now(),
      cpuNanos: ((this.#now() - this.#startedAtMs) * 1_000_000 * (cpuMillis || 1000)) / 2000 + 1,
      memoryBytes: memoryBytes === 0 ? PRETENDED_BYTES : memoryBytes / 2,
      ...(memoryBytes === 0 ? {} : { memoryLimitBytes: memoryBytes }),
      ...this.#used(),
      networkRxBytes: 0,
      networkTxBytes: 0,
      blockReadBytes: 0,
      blockWriteBytes: 0,
      pids: running.reduce((sum, { name }) => sum + (this.#processes.get(name) ?? 1), 0)
    }
  }

  /** As told: its CPU time grows by what it uses now, since it was asked last. */
  #used(): Partial<EngineStats> {
    if (this.#usage === undefined) return {}
    const { cpuMillis, memoryBytes } = this.#usage(this.request)
    const atMs = this.#now()
    const sinceMs = this.#burnt.atMs === 0 ? this.#startedAtMs : this.#burnt.atMs
    this.#burnt = { atMs, cpuNanos: this.#burnt.cpuNanos + (atMs - sinceMs) * cpuMillis * 1000 }
    return { cpuNanos: this.#burnt.cpuNanos, memoryBytes }
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

import { type Abortable, delay, raceSignal, timeoutSignal } from '../../common/index.ts'
import { assertDeployRequest, claimsOf, imagesOf, planImage } from '../pod-fields.ts'
import type {
  DeployOptions,
  DeployRequest,
  EngineAvailability,
  EnginePort,
  EngineProcess,
  EngineStats,
  EngineWorkload,
  ExecOptions,
  LogLine,
  LogsOptions,
  PodDocument,
  RemoveOptions,
  RestartOptions,
  RuntimeEngine
} from '../types.ts'
import { SIGKILL_EXIT } from '../workload-state.ts'
import { sumLimits } from './limits.ts'
import { MockWorkload } from './mock-workload.ts'
import { failure, NAME, pretendToRun, sayHello, seededRandom } from './pretend.ts'
import type { MockEngineInit, MockWorkloadConfig } from './types.ts'

/** A pretended engine for tests and demonstrations: keeps everything in memory and runs nothing at all. */
export class MockEngine implements RuntimeEngine {
  readonly name = NAME
  readonly #init: MockEngineInit
  readonly #workloads = new Map<string, MockWorkload>()
  /** IDs whose deployment is under way: their names and ports are taken. */
  readonly #starting = new Map<string, MockWorkload>()
  readonly #volumes = new Set<string>()
  readonly #random: () => number

  constructor(init: MockEngineInit = {}) {
    this.#init = init
    this.#random = seededRandom(init.seed ?? 1)
  }

  async isAvailable(_options: Abortable = {}): Promise<EngineAvailability> {
    return (this.#init.available ?? true)
      ? { available: true, version: 'mock (runs nothing)' }
      : { available: false, reason: 'the mock engine was told to be unavailable' }
  }

  async validate(pod: PodDocument, _options: Abortable = {}): Promise<void> {
    if (pod.spec.containers.length === 0)
      throw failure('POD_REFUSED', pod.metadata.name, 'a pod needs at least one container')
  }

  async deploy(request: DeployRequest, options: DeployOptions = {}): Promise<EngineWorkload> {
    const { workloadId, pod } = request
    options.signal?.throwIfAborted()
    assertDeployRequest(request, NAME)
    await this.validate(pod)
    const { script = sayHello } = this.#init
    const workload = new MockWorkload(request, this.#init)
    this.#assertRoom(workloadId, pod, workload.config)
    this.#starting.set(workloadId, workload)
    try {
      this.#assertImages(workloadId, pod, options)
      options.onState?.('starting')
      await delay(this.#init.delayMs ?? 0, options)
      this.#assertStartable(workloadId, pod)
      workload.start(script)
      for (const name of claimsOf(pod)) this.#volumes.add(name)
      this.#workloads.set(workloadId, workload)
      return workload.describe()
    } finally {
      this.#starting.delete(workloadId)
    }
  }

  async status(workloadId: string, _options: Abortable = {}): Promise<EngineWorkload | undefined> {
    return this.#workloads.get(workloadId)?.describe()
  }

  async list(
    { labels }: { readonly labels: Readonly<Record<string, string>> },
    _options: Abortable = {}
  ): Promise<EngineWorkload[]> {
    const all = [...this.#workloads.values()].map((workload) => workload.describe())
    return all.filter((workload) =>
      Object.entries(labels).every(([key, value]) => workload.labels[key] === value)
    )
  }

  async restart(workloadId: string, container: string, options: RestartOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const workload = this.#known(workloadId, container)
    workload.exit(container, SIGKILL_EXIT)
    workload.startContainer(container, this.#init.script ?? sayHello)
  }

  async exec(workloadId: string, options: ExecOptions): Promise<{ readonly exitCode: number }> {
    options.signal?.throwIfAborted()
    const workload = this.#known(workloadId, options.container)
    const container = options.container ?? workload.request.pod.spec.containers[0]!.name
    if (workload.describe().containers.find(({ name }) => name === container)?.state !== 'running')
      throw failure('EXEC_FAILED', workloadId, `container "${container}" does not run`)
    const { timeoutMs, signal } = options
    const timeout = timeoutMs === undefined ? undefined : timeoutSignal(timeoutMs)
    const ended = AbortSignal.any([signal, timeout].filter((one) => one !== undefined))
    const run = this.#init.exec ?? pretendToRun
    try {
      return {
        exitCode: await raceSignal(run(workload.request, container, { ...options, signal: ended }), ended)
      }
    } catch (error) {
      if (timeout?.aborted !== true || signal?.aborted === true) throw error
      throw failure('EXEC_TIMEOUT', workloadId, `the command did not end within ${timeoutMs} ms`)
    }
  }

  async stats(workloadIds?: readonly string[], _options: Abortable = {}): Promise<EngineStats[]> {
    const chosen = [...this.#workloads].filter(
      ([id]) => workloadIds === undefined || workloadIds.includes(id)
    )
    return chosen.flatMap(([, workload]) => workload.stats() ?? [])
  }

  async processes(workloadId: string, _options: Abortable = {}): Promise<EngineProcess[]> {
    return this.#workloads.has(workloadId) ? (this.#init.processes?.(workloadId) ?? []) : []
  }

  async *logs(workloadId: string, options: LogsOptions = {}): AsyncGenerator<LogLine> {
    yield* this.#known(workloadId, options.container).logs(options)
  }

  async remove(workloadId: string, options: RemoveOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const workload = this.#workloads.get(workloadId)
    this.#workloads.delete(workloadId)
    workload?.kill()
  }

  async removeVolumes(names: readonly string[], options: Abortable = {}): Promise<void> {
    options.signal?.throwIfAborted()
    for (const name of names) {
      const user = [...this.#workloads.values()].find(({ request }) => claimsOf(request.pod).includes(name))
      if (user !== undefined)
        throw failure('VOLUME_IN_USE', user.request.workloadId, `it uses volume "${name}"`)
      this.#volumes.delete(name)
    }
  }

  /** Names of the volumes that claims have brought about. */
  volumes(): string[] {
    return [...this.#volumes]
  }

  async close(): Promise<void> {}

  /** The pod as it was deployed; undefined when it is not there. */
  getWorkloadManifest(workloadId: string): PodDocument | undefined {
    return this.#workloads.get(workloadId)?.request.pod
  }

  /** Files, ports, labels and limits of a workload; undefined when it is not there. */
  getWorkloadConfig(workloadId: string): MockWorkloadConfig | undefined {
    return this.#workloads.get(workloadId)?.config
  }

  workloadCount(): number {
    return this.#workloads.size
  }

  /** Forgets everything, as if the machine had been replaced. */
  clearWorkloads(): void {
    for (const id of [...this.#workloads.keys()]) void this.remove(id)
  }

  /** Lets a container end. @throws RuntimeError WORKLOAD_NOT_FOUND */
  exitContainer(workloadId: string, container: string, exitCode: number, oomKilled = false): void {
    this.#known(workloadId, container).exit(container, exitCode, oomKilled)
  }

  /** Lets a container write a line. @throws RuntimeError WORKLOAD_NOT_FOUND */
  say(workloadId: string, container: string, line: string): void {
    this.#known(workloadId, container).say(container, line)
  }

  #known(workloadId: string, container?: string): MockWorkload {
    const workload = this.#workloads.get(workloadId)
    if (workload === undefined) throw failure('WORKLOAD_NOT_FOUND', workloadId, 'there is no such workload')
    if (container !== undefined && !workload.has(container))
      throw failure('WORKLOAD_NOT_FOUND', workloadId, `it has no container "${container}"`)
    return workload
  }

  /** What is refused before anything starts, because of the workloads already here. */
  #assertRoom(workloadId: string, pod: PodDocument, config: MockWorkloadConfig): void {
    const others = [...this.#workloads.values(), ...this.#starting.values()]
    if (others.some(({ request }) => request.workloadId === workloadId))
      throw failure('NAME_IN_USE', workloadId, 'a workload with this ID exists')
    const taken = others.flatMap((other) => other.config.ports)
    const clash = config.ports.find((port) => taken.some((other) => overlaps(port, other)))
    if (clash !== undefined) throw failure('PORT_IN_USE', workloadId, `host port ${clash.hostPort} is in use`)
    const { memoryLimitBytes = Infinity, cpuLimitMillis = Infinity } = this.#init
    const used = [...others.map(({ request }) => sumLimits(request.pod)), sumLimits(pod)]
    if (used.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0) > memoryLimitBytes)
      throw failure('RESOURCES_EXHAUSTED', workloadId, `memory limits exceed ${memoryLimitBytes} bytes`)
    if (used.reduce((sum, { cpuMillis }) => sum + cpuMillis, 0) > cpuLimitMillis)
      throw failure(
        'RESOURCES_EXHAUSTED',
        workloadId,
        `CPU limits exceed ${cpuLimitMillis} thousandths of a core`
      )
  }

  #assertImages(workloadId: string, pod: PodDocument, { onState }: DeployOptions): void {
    const { missingImages = [], offline = false } = this.#init
    for (const [image, policy] of imagesOf(pod)) {
      const here = !missingImages.includes(image)
      const plan = planImage(image, policy, here)
      if (plan === 'pull') onState?.('pulling')
      if (plan === 'pull' && offline)
        throw failure(
          'IMAGE_PULL_FAILED',
          workloadId,
          `image "${image}" cannot be pulled, registries are offline`
        )
      if (plan !== 'use' && !here)
        throw failure('IMAGE_NOT_FOUND', workloadId, `image "${image}" is not there`)
    }
  }

  #assertStartable(workloadId: string, pod: PodDocument): void {
    const { missingCommands = [], successRate = 1 } = this.#init
    const words = pod.spec.containers.map(({ command, args }) => [command, args].flat()[0])
    const word = words.find((first) => missingCommands.includes(String(first)))
    if (word !== undefined) throw failure('START_FAILED', workloadId, `there is no command "${word}"`)
    if (this.#random() >= successRate) throw failure('START_FAILED', workloadId, 'this one was drawn to fail')
  }
}

/** Whether two publications cannot exist beside each other. */
function overlaps(a: EnginePort, b: EnginePort): boolean {
  const everywhere = (port: EnginePort) =>
    port.hostIp === undefined || port.hostIp === '0.0.0.0' || port.hostIp === '::'
  return (
    a.hostPort === b.hostPort &&
    a.protocol === b.protocol &&
    (a.hostIp === b.hostIp || everywhere(a) || everywhere(b))
  )
}

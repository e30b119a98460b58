import type { Abortable } from '../../common/index.ts'
import { KernelLog, KeyedLock, prepareRunDirs } from '../parts/index.ts'
import type {
  DeployOptions,
  DeployRequest,
  EngineAvailability,
  EngineLogger,
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
import {
  CHANGE_TIMEOUT_MS,
  DEFAULT_SOCKET_PATH,
  ENGINE,
  INIT_TIMEOUT_MS,
  MIN_API_VERSION,
  READ_TIMEOUT_MS
} from './constants.ts'
import { type DeployContext, deployWorkload } from './deploy/deploy.ts'
import { assertDockerCanRun, volumesOf } from './deploy/pod-plan.ts'
import { DockerClient } from './docker-client.ts'
import { dockerError } from './docker-error.ts'
import { execInWorkload } from './exec.ts'
import { readLogs } from './logs.ts'
import { removeWorkload } from './remove.ts'
import { restartContainer } from './restart.ts'
import { fetchProcesses } from './status/processes.ts'
import { fetchStats } from './status/stats.ts'
import { fetchWorkload, fetchWorkloads, type StatusContext } from './status/status.ts'
import type { DockerEngineInit } from './types.ts'
import { removeClaims } from './volumes.ts'

type Prepared = DeployContext & StatusContext

/** Runs workloads as groups of Docker containers; see the folder's index for what it does and never does. */
export class DockerEngine implements RuntimeEngine {
  readonly name = ENGINE
  readonly #init: DockerEngineInit
  readonly #log: EngineLogger
  readonly #kernelLog = new KernelLog()
  /** One change at a time to each workload. */
  readonly #lock = new KeyedLock()
  #prepared: Promise<Prepared> | undefined

  constructor(init: DockerEngineInit) {
    this.#init = init
    this.#log = init.logger ?? (() => {})
  }

  async isAvailable(options: Abortable = {}): Promise<EngineAvailability> {
    try {
      const { client } = await this.#prepare()
      const version = await client.call((docker) => docker.version(), { ...options, what: 'say what it is' })
      const [major = 0, minor = 0] = (version?.ApiVersion ?? '').split('.').map(Number)
      const [minMajor, minMinor] = MIN_API_VERSION
      if (major > minMajor || (major === minMajor && minor >= minMinor))
        return { available: true, ...(version && { version: version.Version }) }
      const reason = `expected Docker's API ${MIN_API_VERSION.join('.')} (Docker 20.10) or newer, found ${version?.ApiVersion}`
      return { available: false, reason }
    } catch (error) {
      options.signal?.throwIfAborted()
      return { available: false, reason: error instanceof Error ? error.message : String(error) }
    }
  }

  async validate(pod: PodDocument, _options: Abortable = {}): Promise<void> {
    // volumes of config maps and secrets are given as files with `deploy`, which looks again
    assertDockerCanRun(pod, new Set(volumesOf(pod).map(({ name }) => name)))
  }

  async deploy(request: DeployRequest, options: DeployOptions = {}): Promise<EngineWorkload> {
    const { workloadId } = request
    const context = await this.#prepare()
    return this.#lock.run(workloadId, async () => {
      await deployWorkload(context, request, options)
      const workload = await fetchWorkload(context, workloadId, {})
      if (workload !== undefined) return workload
      throw dockerError('START_FAILED', `workload "${workloadId}" was removed while it started`, {
        workloadId
      })
    })
  }

  async status(workloadId: string, options: Abortable = {}): Promise<EngineWorkload | undefined> {
    return fetchWorkload(await this.#prepare(), workloadId, options)
  }

  async list(
    { labels }: { readonly labels: Readonly<Record<string, string>> },
    options: Abortable = {}
  ): Promise<EngineWorkload[]> {
    return fetchWorkloads(await this.#prepare(), labels, options)
  }

  async *logs(workloadId: string, options: LogsOptions = {}): AsyncGenerator<LogLine> {
    const { client } = await this.#prepare()
    yield* readLogs(client, workloadId, options)
  }

  async restart(workloadId: string, container: string, options: RestartOptions = {}): Promise<void> {
    const { client } = await this.#prepare()
    await this.#lock.run(workloadId, () => restartContainer(client, workloadId, container, options))
  }

  async exec(workloadId: string, options: ExecOptions): Promise<{ readonly exitCode: number }> {
    const { client } = await this.#prepare()
    return execInWorkload(client, workloadId, options)
  }

  async stats(workloadIds?: readonly string[], options: Abortable = {}): Promise<EngineStats[]> {
    const { client } = await this.#prepare()
    return fetchStats(client, workloadIds, options)
  }

  async processes(workloadId: string, options: Abortable = {}): Promise<EngineProcess[]> {
    const { client } = await this.#prepare()
    return fetchProcesses(client, workloadId, options)
  }

  async remove(workloadId: string, options: RemoveOptions = {}): Promise<void> {
    const context = await this.#prepare()
    await this.#lock.run(workloadId, () => removeWorkload(context, workloadId, options))
  }

  async removeVolumes(names: readonly string[], options: Abortable = {}): Promise<void> {
    const { client } = await this.#prepare()
    await removeClaims(client, names, options)
  }

  async close(): Promise<void> {
    const prepared = await this.#prepared?.catch(() => undefined)
    prepared?.client.close()
    await this.#kernelLog.close()
  }

  /** Made by the first call, because a constructor does no work. */
  #prepare(): Promise<Prepared> {
    this.#prepared ??= this.#open().catch((error) => {
      this.#prepared = undefined
      throw error
    })
    return this.#prepared
  }

  async #open(): Promise<Prepared> {
    const { runDir, network = 'bridge', timeouts } = this.#init
    const socketPath = this.#init.socketPath ?? socketOf(process.env.DOCKER_HOST)
    const { filesDir } = await prepareRunDirs(runDir, this.#log)
    const client = await DockerClient.open(socketPath, {
      readMs: READ_TIMEOUT_MS,
      changeMs: CHANGE_TIMEOUT_MS,
      initMs: INIT_TIMEOUT_MS,
      ...timeouts
    })
    return { client, filesDir, network, kernelLog: this.#kernelLog, log: this.#log }
  }
}

/** @throws RuntimeError ENGINE_UNAVAILABLE for a Docker that is not on this machine */
function socketOf(host: string | undefined): string {
  if (!host) return DEFAULT_SOCKET_PATH
  if (host.startsWith('unix://')) return host.slice('unix://'.length)
  throw dockerError(
    'ENGINE_UNAVAILABLE',
    'expected DOCKER_HOST to be a Unix socket (unix://…) of this machine'
  )
}

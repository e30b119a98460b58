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
import { Podman, PodmanCommand } from './client/index.ts'
import {
  ENGINE,
  INFO_TIMEOUT_MS,
  MIN_PODMAN_VERSION,
  READ_TIMEOUT_MS,
  REMOVE_TIMEOUT_MS,
  SERVICE_IDLE_S
} from './constants.ts'
import { deployWorkload } from './deploy/deploy.ts'
import { assertPodmanCanRun } from './deploy/podman-pod.ts'
import { execInWorkload } from './exec.ts'
import { readLogs } from './logs/index.ts'
import { prepareContainersConf } from './machine/containers-conf.ts'
import { podmanError } from './podman-error.ts'
import { removeWorkload } from './remove.ts'
import { restartContainer } from './restart.ts'
import { fetchProcesses } from './status/processes.ts'
import { fetchStats } from './status/stats.ts'
import { fetchWorkload, fetchWorkloads, type StatusContext } from './status/status.ts'
import type { PodmanEngineInit } from './types.ts'
import { removeClaims } from './volumes.ts'

interface Prepared extends StatusContext {
  readonly filesDir: string
}

/** Runs workloads as Podman pods; see the folder's index for what it does and never does. */
export class PodmanEngine implements RuntimeEngine {
  readonly name = ENGINE
  readonly #init: PodmanEngineInit
  readonly #log: EngineLogger
  readonly #kernelLog = new KernelLog()
  /** One change at a time to each workload. */
  readonly #lock = new KeyedLock()
  #prepared: Promise<Prepared> | undefined
  #version: string | undefined

  constructor(init: PodmanEngineInit) {
    this.#init = init
    this.#log = init.logger ?? (() => {})
  }

  async isAvailable(options: Abortable = {}): Promise<EngineAvailability> {
    try {
      const { podman } = await this.#prepare()
      // because `podman info` takes 0.2 s of a deployment's time: one that has answered it needs only show that it lives
      if (this.#version !== undefined && (await answers(podman, options)))
        return { available: true, version: this.#version }
      const args = ['info', '--format', '{{.Version.Version}}']
      const run = {
        what: 'say what it is',
        timeoutMs: INFO_TIMEOUT_MS,
        ...(options.signal && { signal: options.signal })
      }
      const version = (await podman.run(args, run)).trim()
      if (isAtLeast(version, MIN_PODMAN_VERSION)) {
        this.#version = version
        return { available: true, version }
      }
      const reason = `expected podman ${MIN_PODMAN_VERSION.join('.')} or newer, found ${version}`
      return { available: false, version, reason }
    } catch (error) {
      options.signal?.throwIfAborted()
      return { available: false, reason: error instanceof Error ? error.message : String(error) }
    }
  }

  async validate(pod: PodDocument, _options: Abortable = {}): Promise<void> {
    // volumes of config maps and secrets are given as files with `deploy`, which looks again
    const volumes = (pod.spec.volumes as readonly { name: string }[] | undefined) ?? []
    assertPodmanCanRun(pod, new Set(volumes.map(({ name }) => name)))
  }

  async deploy(request: DeployRequest, options: DeployOptions = {}): Promise<EngineWorkload> {
    const { workloadId } = request
    const context = await this.#prepare()
    return this.#lock.run(workloadId, async () => {
      await deployWorkload({ ...context, log: this.#log }, request, options)
      const workload = await fetchWorkload(context, workloadId, {})
      if (workload !== undefined) return workload
      throw podmanError('START_FAILED', `workload "${workloadId}" was removed while it started`, {
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
    const { podman } = await this.#prepare()
    yield* readLogs(podman, workloadId, options)
  }

  async restart(workloadId: string, container: string, options: RestartOptions = {}): Promise<void> {
    const { podman } = await this.#prepare()
    await this.#lock.run(workloadId, () => restartContainer(podman, workloadId, container, options))
  }

  async exec(workloadId: string, options: ExecOptions): Promise<{ readonly exitCode: number }> {
    const { podman } = await this.#prepare()
    return execInWorkload(podman, workloadId, options)
  }

  async stats(workloadIds?: readonly string[], options: Abortable = {}): Promise<EngineStats[]> {
    const { podman } = await this.#prepare()
    return fetchStats(podman, workloadIds, options)
  }

  async processes(workloadId: string, options: Abortable = {}): Promise<EngineProcess[]> {
    const { podman } = await this.#prepare()
    return fetchProcesses(podman, workloadId, options)
  }

  async remove(workloadId: string, options: RemoveOptions = {}): Promise<void> {
    const context = await this.#prepare()
    await this.#lock.run(workloadId, () => removeWorkload(context, workloadId, options))
  }

  async removeVolumes(names: readonly string[], options: Abortable = {}): Promise<void> {
    const { podman } = await this.#prepare()
    await removeClaims(podman, names, options)
  }

  async close(): Promise<void> {
    const prepared = await this.#prepared?.catch(() => undefined)
    await prepared?.podman.close()
    await this.#kernelLog.close()
  }

  /** Directories, settings and the way to Podman; made by the first call, because a constructor does no work. */
  #prepare(): Promise<Prepared> {
    this.#prepared ??= this.#open().catch((error) => {
      this.#prepared = undefined
      throw error
    })
    return this.#prepared
  }

  async #open(): Promise<Prepared> {
    const {
      runDir: given,
      containersConf,
      podmanPath = 'podman',
      service = true,
      serviceIdleS = SERVICE_IDLE_S
    } = this.#init
    const { runDir, filesDir, socketPath } = await prepareRunDirs(given, this.#log)
    const conf = await prepareContainersConf(containersConf, runDir)
    if (conf !== undefined) this.#log('podman settings: %s', conf)
    const command = new PodmanCommand(podmanPath, conf, runDir)
    const timeouts = {
      readMs: READ_TIMEOUT_MS,
      playMs: undefined,
      removeMs: REMOVE_TIMEOUT_MS,
      ...this.#init.timeouts
    }
    const podman = new Podman({ command, socketPath, service, idleS: serviceIdleS, log: this.#log, timeouts })
    return { filesDir, podman, pods: new Map(), kernelLog: this.#kernelLog }
  }
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [haveMajor = 0, haveMinor = 0] = version.split('.').map(Number)
  return haveMajor > major || (haveMajor === major && haveMinor >= minor)
}

/** Whether Podman answers the cheapest question there is. */
async function answers(podman: Podman, options: Abortable): Promise<boolean> {
  try {
    await podman.ask((client) => client.imageExists('localhost/beemesh-ping:0', options), options)
    return true
  } catch {
    options.signal?.throwIfAborted()
    return false
  }
}

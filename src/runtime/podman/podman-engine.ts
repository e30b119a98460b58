import type { Abortable } from '../../common/index.ts'
import type {
  DeployOptions,
  DeployRequest,
  EngineAvailability,
  EngineWorkload,
  LogLine,
  LogsOptions,
  PodDocument,
  RemoveOptions,
  RuntimeEngine
} from '../types.ts'
import { Podman, PodmanCommand } from './client/index.ts'
import { ENGINE, INFO_TIMEOUT_MS, MIN_PODMAN_VERSION, SERVICE_IDLE_S } from './constants.ts'
import { deployWorkload } from './deploy/deploy.ts'
import { assertPodmanCanRun } from './deploy/podman-pod.ts'
import { KeyedLock } from './keyed-lock.ts'
import { readLogs } from './logs/index.ts'
import { prepareContainersConf } from './machine/containers-conf.ts'
import { prepareRunDirs } from './machine/run-dir.ts'
import { podmanError } from './podman-error.ts'
import { removeWorkload } from './remove.ts'
import { fetchWorkload, fetchWorkloads, type LabelCache } from './status/status.ts'
import type { EngineLogger, PodmanEngineInit } from './types.ts'

interface Prepared {
  readonly podman: Podman
  readonly filesDir: string
}

/** Runs workloads as Podman pods; see the folder's index for what it does and never does. */
export class PodmanEngine implements RuntimeEngine {
  readonly name = ENGINE
  readonly #init: PodmanEngineInit
  readonly #log: EngineLogger
  readonly #labels: LabelCache = new Map()
  /** One change at a time to each workload. */
  readonly #lock = new KeyedLock()
  #prepared: Promise<Prepared> | undefined

  constructor(init: PodmanEngineInit) {
    this.#init = init
    this.#log = init.logger ?? (() => {})
  }

  async isAvailable(options: Abortable = {}): Promise<EngineAvailability> {
    try {
      const { podman } = await this.#prepare()
      const args = ['info', '--format', '{{.Version.Version}}']
      const run = {
        what: 'say what it is',
        timeoutMs: INFO_TIMEOUT_MS,
        ...(options.signal && { signal: options.signal })
      }
      const version = (await podman.run(args, run)).trim()
      if (isAtLeast(version, MIN_PODMAN_VERSION)) return { available: true, version }
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
      const workload = await fetchWorkload(context.podman, this.#labels, workloadId, {})
      if (workload !== undefined) return workload
      throw podmanError('START_FAILED', `workload "${workloadId}" was removed while it started`, {
        workloadId
      })
    })
  }

  async status(workloadId: string, options: Abortable = {}): Promise<EngineWorkload | undefined> {
    const { podman } = await this.#prepare()
    return fetchWorkload(podman, this.#labels, workloadId, options)
  }

  async list(
    { labels }: { readonly labels: Readonly<Record<string, string>> },
    options: Abortable = {}
  ): Promise<EngineWorkload[]> {
    const { podman } = await this.#prepare()
    return fetchWorkloads(podman, this.#labels, labels, options)
  }

  async *logs(workloadId: string, options: LogsOptions = {}): AsyncGenerator<LogLine> {
    const { podman } = await this.#prepare()
    yield* readLogs(podman, workloadId, options)
  }

  async remove(workloadId: string, options: RemoveOptions = {}): Promise<void> {
    const context = await this.#prepare()
    await this.#lock.run(workloadId, () => removeWorkload(context, workloadId, options))
  }

  async close(): Promise<void> {
    const prepared = await this.#prepared?.catch(() => undefined)
    await prepared?.podman.close()
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
    const command = new PodmanCommand(podmanPath, conf)
    return {
      filesDir,
      podman: new Podman({ command, socketPath, service, idleS: serviceIdleS, log: this.#log })
    }
  }
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [haveMajor = 0, haveMinor = 0] = version.split('.').map(Number)
  return haveMajor > major || (haveMajor === major && haveMinor >= minor)
}

import { Agent } from 'node:http'
import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import { type Abortable, raceSignal, withDeadline } from '../../common/index.ts'
import type { RuntimeErrorCode } from '../errors.ts'
import { WORKLOAD_LABEL } from './constants.ts'
import { dockerError, toDockerError } from './docker-error.ts'
import type { DockerTimeouts } from './types.ts'

export interface DockerCall extends Abortable {
  /** For the error: "docker could not <what>: …". */
  readonly what: string
  readonly timeoutMs?: number
  /** Statuses that mean "there is none", answered with undefined. @default [404] */
  readonly absent?: readonly number[]
  /** Code for words we do not know. @default 'ENGINE_FAILED' */
  readonly fallback?: RuntimeErrorCode
  readonly workloadId?: string
}

export type Found = Docker.ContainerInfo
export type Inspected = Docker.ContainerInspectInfo

/** Docker's API, every call with a deadline and in this project's errors. */
export class DockerClient {
  readonly docker: Docker
  readonly timeouts: DockerTimeouts
  readonly #agent: Agent

  private constructor(docker: Docker, agent: Agent, timeouts: DockerTimeouts) {
    this.docker = docker
    this.timeouts = timeouts
    this.#agent = agent
  }

  /** Loads dockerode, which takes a while and is of no use to those without Docker. Connects to nothing yet. */
  static async open(socketPath: string, timeouts: DockerTimeouts): Promise<DockerClient> {
    const { default: Dockerode } = await import('dockerode')
    const agent = new Agent({ keepAlive: true, maxSockets: 64 })
    const options = { socketPath, agent } // the types do not know of the agent
    return new DockerClient(new Dockerode(options), agent, timeouts)
  }

  /**
   * @throws RuntimeError ENGINE_TIMEOUT, ENGINE_UNAVAILABLE, or what Docker's words mean; the signal's reason when the caller gave up,
   *   and then Docker goes on with what it was asked to do
   */
  async call<T>(act: (docker: Docker) => Promise<T>, call: DockerCall): Promise<T | undefined> {
    const {
      what,
      signal,
      timeoutMs = this.timeouts.readMs,
      absent = [404],
      fallback = 'ENGINE_FAILED'
    } = call
    const deadline = withDeadline(timeoutMs, signal)
    try {
      return await raceSignal(act(this.docker), deadline)
    } catch (error) {
      signal?.throwIfAborted()
      if (deadline.aborted)
        throw dockerError('ENGINE_TIMEOUT', `docker did not ${what} within ${timeoutMs} ms`, { cause: error })
      if (absent.includes((error as { statusCode?: number }).statusCode ?? 0)) return undefined
      throw toDockerError(what, error, fallback, call.workloadId)
    }
  }

  /** A change: longer deadline, and no signal, because what is given up in the middle happens all the same. */
  change<T>(act: (docker: Docker) => Promise<T>, call: DockerCall): Promise<T | undefined> {
    return this.call(act, { timeoutMs: this.timeouts.changeMs, absent: [], ...call })
  }

  /** Containers with all of these labels (`key` or `key=value`), running or not. */
  async containers(labels: readonly string[], options: Abortable): Promise<Found[]> {
    const query = { all: true, filters: { label: [...labels] } }
    return (
      (await this.call((docker) => docker.listContainers(query), { ...options, what: 'list containers' })) ??
      []
    )
  }

  /** Those of one workload. */
  ofWorkload(workloadId: string, options: Abortable): Promise<Found[]> {
    return this.containers([`${WORKLOAD_LABEL}=${workloadId}`], options)
  }

  inspect(id: string, options: Abortable): Promise<Inspected | undefined> {
    return this.call((docker) => docker.getContainer(id).inspect(), {
      ...options,
      what: 'inspect a container'
    })
  }

  /** Sends a signal; a container that does not run is no error. */
  async kill(id: string, signal: string): Promise<void> {
    await this.change((docker) => docker.getContainer(id).kill({ signal }), {
      what: 'signal a container',
      absent: [404, 409]
    })
  }

  /** An answer as it comes. */
  stream(
    path: string,
    options: Readonly<Record<string, unknown>>,
    call: DockerCall
  ): Promise<Readable | undefined> {
    return this.call(
      (docker) =>
        new Promise<Readable>((resolve, reject) => {
          const dial = {
            path: `${path}?`,
            method: 'GET',
            isStream: true,
            statusCodes: { 200: true },
            options
          }
          docker.modem.dial(dial, (error, result) => (error ? reject(error) : resolve(result as Readable)))
        }),
      call
    )
  }

  close(): void {
    this.#agent.destroy()
  }
}

import { type Abortable, delay } from '../../../common/index.ts'
import type { EngineLogger } from '../../types.ts'
import { GONE_ATTEMPTS, GONE_PAUSE_MS, LIST_ATTEMPTS, SERVICE_RETRY_MS } from '../constants.ts'
import { podmanError } from '../podman-error.ts'
import type { PodmanTimeouts, PsEntry, PsFilter } from '../types.ts'
import { CliClient } from './cli-client.ts'
import type { PodmanCommand, RunOptions } from './command.ts'
import type { RestClient } from './rest-client.ts'
import { PodmanService } from './service.ts'
import type { PodmanClient } from './types.ts'

export interface PodmanInit {
  readonly command: PodmanCommand
  readonly socketPath: string
  /** False: questions go by the command line. */
  readonly service: boolean
  readonly idleS: number
  readonly log: EngineLogger
  readonly timeouts: PodmanTimeouts
}

const GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE'])

/** Socket errors after which the same question may be asked again: the service has just ended, idle or killed. */
export function isGone(error: unknown): boolean {
  return GONE.has((error as NodeJS.ErrnoException).code ?? '')
}

/** Podman by the quickest way that works: its socket, else its command line. */
export class Podman {
  readonly #command: PodmanCommand
  readonly #service: PodmanService
  readonly #byService: boolean
  readonly #cli: CliClient
  readonly #log: EngineLogger
  readonly timeouts: PodmanTimeouts
  #cliUntil = 0

  constructor(init: PodmanInit) {
    this.#command = init.command
    this.#cli = new CliClient(init.command, init.timeouts)
    this.#service = new PodmanService(init)
    this.#byService = init.service
    this.#log = init.log
    this.timeouts = init.timeouts
  }

  /** Runs a command; see {@link PodmanCommand.run}. */
  run(args: readonly string[], options: RunOptions): Promise<string> {
    return this.#command.run(args, options)
  }

  /** Asks a question that may be asked twice: again when the service ended in between, and of the CLI when there is no service. */
  ask<T>(question: (client: PodmanClient) => Promise<T>, options: Abortable = {}): Promise<T> {
    return this.#again(() => this.#client(options), question, options)
  }

  /** The same of the service, for what only it can do. @throws RuntimeError ENGINE_UNAVAILABLE */
  askService<T>(question: (client: RestClient) => Promise<T>, options: Abortable = {}): Promise<T> {
    return this.#again(() => this.#service.client(options), question, options)
  }

  /** The containers of one pod, by its exact name, infra container included. */
  async podContainers(pod: string, options: Abortable): Promise<PsEntry[]> {
    const found = await this.containers({ pod: [pod] }, options)
    return found.filter(({ PodName }) => PodName === pod) // because Podman also takes the beginning of an ID
  }

  /** See {@link PodmanClient.containers}; asks again where something is being removed meanwhile. */
  async containers(filter: PsFilter, options: Abortable): Promise<PsEntry[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.ask((client) => client.containers(filter, options), options)
      } catch (error) {
        options.signal?.throwIfAborted()
        const said = String(error)
        if (/no pod with name or ID/.test(said)) return []
        if (attempt === LIST_ATTEMPTS || !/no such (pod|container)/.test(said)) throw error
      }
    }
  }

  /** The service, for what must not be asked twice; undefined where questions go by the command line. */
  async service(options: Abortable): Promise<RestClient | undefined> {
    const client = await this.#client(options)
    return client === this.#cli ? undefined : (client as RestClient)
  }

  /** Kills the service this client belongs to, with all it is doing; the next question starts another. */
  async endService(client: RestClient): Promise<void> {
    await this.#service.end(client)
  }

  async close(): Promise<void> {
    await this.#service.close()
  }

  async #again<C extends PodmanClient, T>(
    open: () => Promise<C>,
    question: (client: C) => Promise<T>,
    { signal }: Abortable
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const client = await open()
      try {
        return await question(client)
      } catch (error) {
        signal?.throwIfAborted()
        const { code } = error as NodeJS.ErrnoException
        if (!isGone(error) && (code !== 'ENGINE_TIMEOUT' || (await this.#service.isAnswering(client))))
          throw error
        if (attempt === GONE_ATTEMPTS)
          throw podmanError('ENGINE_UNAVAILABLE', `podman's service ends again and again (${code})`, {
            cause: error
          })
        this.#log('podman service went away (%s), asking again', code)
        await delay(GONE_PAUSE_MS * attempt, { ...(signal && { signal }) }) // until its end has been noticed
      }
    }
  }

  async #client(options: Abortable): Promise<PodmanClient> {
    if (!this.#byService || Date.now() < this.#cliUntil) return this.#cli
    try {
      return await this.#service.client(options)
    } catch (error) {
      options.signal?.throwIfAborted()
      this.#log('podman service cannot be started, using the command line for a while: %s', error)
      this.#cliUntil = Date.now() + SERVICE_RETRY_MS
      return this.#cli
    }
  }
}

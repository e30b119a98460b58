import { rm } from 'node:fs/promises'
import { execa, type ResultPromise } from 'execa'
import { type Abortable, delay, raceSignal, withDeadline } from '../../../common/index.ts'
import type { EngineLogger } from '../../types.ts'
import { FORCE_KILL_AFTER_MS, PING_TIMEOUT_MS, SERVICE_START_TIMEOUT_MS } from '../constants.ts'
import { podmanError } from '../podman-error.ts'
import type { PodmanTimeouts } from '../types.ts'
import type { PodmanCommand } from './command.ts'
import { RestClient } from './rest-client.ts'
import type { PodmanClient } from './types.ts'

export interface PodmanServiceInit {
  readonly command: PodmanCommand
  readonly socketPath: string
  readonly idleS: number
  readonly log: EngineLogger
  readonly timeouts: PodmanTimeouts
}

interface Running {
  readonly child: ResultPromise
  readonly client: RestClient
  exited: boolean
}

/**
 * A `podman system service` of our own: started when it is first needed, started again when it has ended, killed by `close()`.
 * It is a process group of its own, so that Ctrl-C in a terminal reaches the node and not it; and it ends by itself after
 * an idle time, so that none is left when the node was killed with SIGKILL. One idle minute costs the next read 0.1 s.
 */
export class PodmanService {
  readonly #command: PodmanCommand
  readonly #socketPath: string
  readonly #idleS: number
  readonly #log: EngineLogger
  readonly #timeouts: PodmanTimeouts
  #running: Promise<Running> | undefined
  readonly #stop = new AbortController()
  #closed = false

  constructor({ command, socketPath, idleS, log, timeouts }: PodmanServiceInit) {
    this.#command = command
    this.#socketPath = socketPath
    this.#idleS = idleS
    this.#log = log
    this.#timeouts = timeouts
  }

  /** A client whose service answered when it was started. @throws RuntimeError ENGINE_UNAVAILABLE */
  async client(options: Abortable = {}): Promise<RestClient> {
    if (this.#closed) throw podmanError('ENGINE_UNAVAILABLE', 'this podman engine has been closed')
    const known = this.#running
    if (known !== undefined && !(await raceSignal(known, options.signal)).exited) return (await known).client
    if (this.#running === known) {
      this.#running = this.#start()
      this.#running.catch(() => {
        this.#running = undefined
      })
    }
    return (await raceSignal(this.#running!, options.signal)).client
  }

  /** False when this client's service does not answer even a ping: then it has been killed, and the next question starts another. */
  async isAnswering(client: PodmanClient): Promise<boolean> {
    const running = await this.#running?.catch(() => undefined)
    if (running?.client !== client) return true // it is not the service's
    const signal = withDeadline(PING_TIMEOUT_MS, this.#stop.signal)
    if (await running.client.ping({ signal }).catch(() => false)) return true
    this.#log('podman service does not answer, ending it')
    await this.end(running.client)
    return this.#closed
  }

  /** Kills the service of this client, and waits for its end. */
  async end(client: RestClient): Promise<void> {
    const running = await this.#running?.catch(() => undefined)
    if (running?.client !== client || running.exited) return
    running.child.kill('SIGKILL')
    await running.child
  }

  /** Ends the service and removes its socket. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stop.abort(podmanError('ENGINE_UNAVAILABLE', 'this podman engine has been closed')) // one that is being started is not waited for
    const running = await this.#running?.catch(() => undefined)
    if (running !== undefined) await stop(running)
    await rm(this.#socketPath, { force: true })
  }

  async #start(): Promise<Running> {
    await rm(this.#socketPath, { force: true })
    const args = ['system', 'service', '--time', String(this.#idleS), `unix://${this.#socketPath}`]
    const child = execa(this.#command.path, args, {
      env: this.#command.env(),
      cwd: this.#command.cwd,
      extendEnv: false,
      stdio: 'ignore',
      detached: true,
      reject: false,
      forceKillAfterDelay: FORCE_KILL_AFTER_MS
    })
    child.nodeChildProcess.unref()
    const running: Running = {
      child,
      client: new RestClient(this.#socketPath, this.#timeouts),
      exited: false
    }
    const ended = child.then(({ shortMessage }) => {
      running.exited = true
      running.client.close()
      this.#log('podman service ended: %s', shortMessage ?? 'idle')
    })
    ended.catch(() => {})
    const signal = withDeadline(SERVICE_START_TIMEOUT_MS, this.#stop.signal)
    try {
      while (!(await running.client.ping({ signal }).catch(() => false))) {
        if (running.exited) throw podmanError('ENGINE_UNAVAILABLE', 'podman system service ended at once')
        await delay(20, { signal })
      }
    } catch (error) {
      await stop(running)
      throw error
    }
    this.#log('podman service answers on %s', this.#socketPath)
    return running
  }
}

async function stop({ child, client }: Running): Promise<void> {
  client.close()
  child.nodeChildProcess.ref() // because we wait for its end, and nothing else may keep this process going
  child.kill('SIGTERM')
  await child
}

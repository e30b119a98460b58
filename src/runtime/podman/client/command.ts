import { ExecaError, execa } from 'execa'
import type { Abortable } from '../../../common/index.ts'
import type { RuntimeErrorCode } from '../../errors.ts'
import { FORCE_KILL_AFTER_MS } from '../constants.ts'
import { podmanError, toPodmanError } from '../podman-error.ts'

/** What of our environment Podman may see. The rest stays here: it could reach containers, or change what Podman does. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'DBUS_SESSION_BUS_ADDRESS',
  'CONTAINERS_CONF',
  'CONTAINERS_STORAGE_CONF',
  'CONTAINERS_REGISTRIES_CONF',
  'REGISTRY_AUTH_FILE'
]
/** Only for pulling: Podman would hand proxies on to every container it creates. */
const PASSED_ON_FOR_PULLS = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR'
]

export interface RunOptions extends Abortable {
  readonly timeoutMs: number
  /** What is being done, for the error: "podman could not <what>: …". */
  readonly what: string
  /** Code for words we do not know. @default 'ENGINE_FAILED' */
  readonly fallback?: RuntimeErrorCode
  readonly input?: string
  readonly network?: boolean
  readonly workloadId?: string
}

/** Runs podman: arguments as a list, an environment of its own, always a deadline, never a shell. */
export class PodmanCommand {
  readonly path: string
  readonly containersConf: string | undefined
  /** Where podman and what it leaves behind run: conmon writes a file called "oom" there when a container runs out of memory. */
  readonly cwd: string

  constructor(path: string, containersConf: string | undefined, cwd: string) {
    this.path = path
    this.cwd = cwd
    this.containersConf = containersConf
  }

  env(network = false): Record<string, string> {
    const names = network ? [...PASSED_ON, ...PASSED_ON_FOR_PULLS] : PASSED_ON
    const given = names.flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]!]]
    )
    const env: Record<string, string> = Object.fromEntries(given)
    if (this.containersConf !== undefined) env.CONTAINERS_CONF = this.containersConf
    if (env.CONTAINERS_CONF === '') delete env.CONTAINERS_CONF
    return env
  }

  /**
   * Standard output of one command.
   * @throws RuntimeError ENGINE_UNAVAILABLE (no such command), ENGINE_TIMEOUT, else what Podman's words mean; the signal's reason
   *   when the caller gave up
   */
  async run(args: readonly string[], options: RunOptions): Promise<string> {
    const { signal, timeoutMs, what, fallback = 'ENGINE_FAILED', input = '', network, workloadId } = options
    signal?.throwIfAborted()
    const late: NodeJS.Timeout[] = []
    try {
      const child = execa(this.path, args, {
        env: this.env(network),
        extendEnv: false,
        cwd: this.cwd,
        input,
        timeout: timeoutMs,
        forceKillAfterDelay: FORCE_KILL_AFTER_MS,
        ...(signal === undefined ? {} : { cancelSignal: signal })
      })
      // because a grandchild that outlives podman holds its output open, and execa waits for the end of that
      const letGo = () => {
        child.stdout.destroy()
        child.stderr.destroy()
      }
      late.push(setTimeout(letGo, timeoutMs + FORCE_KILL_AFTER_MS * 1.5))
      const onAbort = () => void late.push(setTimeout(letGo, FORCE_KILL_AFTER_MS * 1.5))
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        return (await child).stdout
      } finally {
        signal?.removeEventListener('abort', onAbort)
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof ExecaError)) throw error
      const context = { cause: error, ...(workloadId === undefined ? {} : { workloadId }) }
      if (error.timedOut)
        throw podmanError('ENGINE_TIMEOUT', `podman did not ${what} within ${timeoutMs} ms`, context)
      if (error.code === 'ENOENT' || error.code === 'EACCES')
        throw podmanError('ENGINE_UNAVAILABLE', `"${this.path}" cannot be run (${error.code})`, {
          ...context,
          hint: 'Install Podman 4.3 or newer ("npm run setup" does it in a checkout).'
        })
      // whatever it said: those are half words, or those of a helper that lost it
      if (error.signal !== undefined)
        throw podmanError(
          'ENGINE_FAILED',
          `podman could not ${what}: it was killed (${error.signal})`,
          context
        )
      throw toPodmanError(what, `${error.stdout ?? ''}\n${error.stderr ?? ''}`, fallback, context)
    } finally {
      for (const timer of late) clearTimeout(timer)
    }
  }
}

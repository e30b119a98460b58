import type { Abortable } from '../../common/index.ts'
import { RuntimeError } from '../errors.ts'
import { cgroupFile, type ExecTransport, runExec } from '../parts/index.ts'
import type { ExecOptions } from '../types.ts'
import { killMonitors } from './cgroup.ts'
import type { Podman, RestClient } from './client/index.ts'
import { findContainer } from './find-container.ts'
import { podmanError } from './podman-error.ts'
import type { ContainerInspect } from './types.ts'

/** Runs a command in a container, over the service's socket: the command line cannot resize a terminal. */
export async function execInWorkload(
  podman: Podman,
  workloadId: string,
  options: ExecOptions
): Promise<{ readonly exitCode: number }> {
  const ask = { ...(options.signal && { signal: options.signal }) }
  const entry = await findContainer(podman, workloadId, options.container, ask)
  try {
    return await runExec(new PodmanExec(podman, entry.Id), options)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (!(error instanceof RuntimeError) || !['ENGINE_FAILED', 'START_FAILED'].includes(error.code))
      throw error
    throw podmanError('EXEC_FAILED', error.message, { cause: error, workloadId })
  }
}

class PodmanExec implements ExecTransport {
  readonly containerId: string
  readonly #podman: Podman
  #client: RestClient | undefined

  constructor(podman: Podman, containerId: string) {
    this.#podman = podman
    this.containerId = containerId
  }

  async create(
    { command, tty, stdin }: { command: readonly string[]; tty: boolean; stdin: boolean },
    options: Abortable
  ): Promise<string> {
    const body = { AttachStdin: stdin, AttachStdout: true, AttachStderr: true, Tty: tty, Cmd: command }
    const path = `/containers/${this.containerId}/exec`
    const call = { ...options, what: 'run a command', method: 'POST', body, absent: [] } as const
    const made = await this.#ask((client) => client.call(path, { ...call, fallback: 'EXEC_FAILED' }), options)
    return (made as { Id: string }).Id
  }

  start(id: string, tty: boolean) {
    return this.#ask((client) => {
      this.#client = client
      return client.upgrade(`/exec/${id}/start`, { Detach: false, Tty: tty })
    })
  }

  /** Output goes through the service, and is lost with it; the command runs on. */
  isLost(): Promise<boolean> {
    return this.#ask(async (client) => {
      await client.ping({})
      return client !== this.#client
    })
  }

  #ask<T>(question: (client: RestClient) => Promise<T>, options: Abortable = {}): Promise<T> {
    return this.#podman.askService(question, options)
  }

  async inspect(id: string) {
    type Answer = { readonly Running: boolean; readonly ExitCode: number; readonly Pid: number }
    const found = (await this.#ask((client) =>
      client.call(`/exec/${id}/json`, { what: 'inspect a command' })
    )) as Answer | undefined
    if (found === undefined) return { running: false, exitCode: -1, pid: 0 } // its container has been removed
    return { running: found.Running, exitCode: found.ExitCode, pid: found.Pid }
  }

  /** Because conmon keeps the session for another 300 s, with two processes: a probe a second would mean six hundred. */
  async forget(id: string): Promise<void> {
    const path = `/containers/${this.containerId}/json`
    const found = (await this.#ask((client) => client.call(path, { what: 'inspect a container' }))) as
      | ContainerInspect
      | undefined
    const procs = await cgroupFile(found?.State.ConmonPid ?? 0, 'pids', 'cgroup.procs')
    if (procs !== undefined) await killMonitors(procs, id)
    const remove = { what: 'forget a command', method: 'POST', body: { Force: true } } as const
    const call = { ...remove, absent: [404, 405, 409, 500] }
    await this.#ask((client) => client.call(`/exec/${id}/remove`, call))
  }

  async resize(id: string, { columns, rows }: { columns: number; rows: number }): Promise<void> {
    const what = { what: 'resize a terminal', method: 'POST', absent: [404, 409, 500] } as const
    await this.#ask((client) => client.call(`/exec/${id}/resize?h=${rows}&w=${columns}`, what))
  }
}

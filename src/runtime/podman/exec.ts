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
  const client = await podman.service(ask)
  try {
    return await runExec(new PodmanExec(client, entry.Id), options)
  } catch (error) {
    options.signal?.throwIfAborted()
    if (!(error instanceof RuntimeError) || !['ENGINE_FAILED', 'START_FAILED'].includes(error.code))
      throw error
    throw podmanError('EXEC_FAILED', error.message, { cause: error, workloadId })
  }
}

class PodmanExec implements ExecTransport {
  readonly containerId: string
  readonly #client: RestClient

  constructor(client: RestClient, containerId: string) {
    this.#client = client
    this.containerId = containerId
  }

  async create(
    { command, tty, stdin }: { command: readonly string[]; tty: boolean; stdin: boolean },
    options: Abortable
  ): Promise<string> {
    const body = { AttachStdin: stdin, AttachStdout: true, AttachStderr: true, Tty: tty, Cmd: command }
    const path = `/containers/${this.containerId}/exec`
    const call = { ...options, what: 'run a command', method: 'POST', body, absent: [] } as const
    return ((await this.#client.call(path, { ...call, fallback: 'EXEC_FAILED' })) as { Id: string }).Id
  }

  start(id: string, tty: boolean) {
    return this.#client.upgrade(`/exec/${id}/start`, { Detach: false, Tty: tty })
  }

  async inspect(id: string) {
    type Answer = { readonly Running: boolean; readonly ExitCode: number; readonly Pid: number }
    const found = (await this.#client.call(`/exec/${id}/json`, { what: 'inspect a command' })) as
      | Answer
      | undefined
    if (found === undefined) return { running: false, exitCode: -1, pid: 0 } // its container has been removed
    return { running: found.Running, exitCode: found.ExitCode, pid: found.Pid }
  }

  /** Because conmon keeps the session for another 300 s, with two processes: a probe a second would mean six hundred. */
  async forget(id: string): Promise<void> {
    const path = `/containers/${this.containerId}/json`
    const found = (await this.#client.call(path, { what: 'inspect a container' })) as
      | ContainerInspect
      | undefined
    const procs = await cgroupFile(found?.State.ConmonPid ?? 0, 'pids', 'cgroup.procs')
    if (procs !== undefined) await killMonitors(procs, id)
    const remove = { what: 'forget a command', method: 'POST', body: { Force: true } } as const
    await this.#client.call(`/exec/${id}/remove`, { ...remove, absent: [404, 405, 409, 500] })
  }

  async resize(id: string, { columns, rows }: { columns: number; rows: number }): Promise<void> {
    const what = { what: 'resize a terminal', method: 'POST', absent: [404, 409, 500] } as const
    await this.#client.call(`/exec/${id}/resize?h=${rows}&w=${columns}`, what)
  }
}

import type { Duplex } from 'node:stream'
import type { Abortable } from '../../common/index.ts'
import { type ExecTransport, runExec } from '../parts/index.ts'
import type { ExecOptions, TerminalSize } from '../types.ts'
import type { DockerClient } from './docker-client.ts'
import { dockerError } from './docker-error.ts'
import { findContainers } from './find-container.ts'

export async function execInWorkload(
  client: DockerClient,
  workloadId: string,
  options: ExecOptions
): Promise<{ readonly exitCode: number }> {
  const ask = { ...(options.signal && { signal: options.signal }) }
  const { containers } = await findContainers(client, workloadId, options.container, ask)
  const [{ id, name, state }] = containers
  if (state !== 'running')
    throw dockerError('EXEC_FAILED', `container "${name}" does not run, it is ${state}`, { workloadId })
  return runExec(new DockerExec(client, id), options)
}

class DockerExec implements ExecTransport {
  readonly containerId: string
  readonly #client: DockerClient

  constructor(client: DockerClient, containerId: string) {
    this.#client = client
    this.containerId = containerId
  }

  async create(
    { command, tty, stdin }: { command: readonly string[]; tty: boolean; stdin: boolean },
    options: Abortable
  ): Promise<string> {
    const config = { AttachStdin: stdin, AttachStdout: true, AttachStderr: true, Tty: tty, Cmd: [...command] }
    const call = { ...options, what: 'run a command', fallback: 'EXEC_FAILED', absent: [] } as const
    const made = await this.#client.call((docker) => docker.getContainer(this.containerId).exec(config), call)
    return made!.id
  }

  async start(id: string, tty: boolean): Promise<Duplex> {
    const call = { what: 'run a command', fallback: 'EXEC_FAILED', absent: [] } as const
    const config = { hijack: true, stdin: true, Tty: tty, Detach: false }
    return (await this.#client.change((docker) => docker.getExec(id).start(config), call)) as Duplex
  }

  async inspect(id: string) {
    const call = { what: 'inspect a command' }
    const found = await this.#client.call((docker) => docker.getExec(id).inspect(), call)
    if (found === undefined) return { running: false, exitCode: -1, pid: 0 } // its container has been removed
    return { running: found.Running, exitCode: found.ExitCode ?? -1, pid: found.Pid }
  }

  async resize(id: string, { columns, rows }: TerminalSize): Promise<void> {
    const call = { what: 'resize a terminal', absent: [404, 409, 500] }
    await this.#client.call((docker) => docker.getExec(id).resize({ h: rows, w: columns }), call)
  }
}

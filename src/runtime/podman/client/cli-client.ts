import type { Abortable } from '../../../common/index.ts'
import { RuntimeError } from '../../errors.ts'
import type {
  ContainerInspect,
  PodInspect,
  PodmanTimeouts,
  PsEntry,
  PsFilter,
  VolumeInspect
} from '../types.ts'
import type { PodmanCommand } from './command.ts'
import type { PodmanClient } from './types.ts'

const ABSENT =
  /no such (pod|container|volume|object)|no (pod|container|volume|object) with name|does not exist/i
const NOT_RUNNING = /can only kill running|is not running|no such process|container state improper/i

/** Podman through its command line, about 30 ms a call: what is left when the socket cannot be had. */
export class CliClient implements PodmanClient {
  readonly #command: PodmanCommand
  readonly #timeouts: PodmanTimeouts

  constructor(command: PodmanCommand, timeouts: PodmanTimeouts) {
    this.#command = command
    this.#timeouts = timeouts
  }

  async containers(filter: PsFilter, options: Abortable): Promise<PsEntry[]> {
    // `ps`, because `pod ps` hangs for as long as any podman process holds the lock of any pod
    const args = ['ps', '--all', '--pod', '--format', 'json']
    for (const [key, values] of Object.entries(filter))
      for (const value of values) args.push('--filter', `${key}=${value}`)
    return (await this.#read(args, 'list containers', options)) as PsEntry[]
  }

  async inspectPod(pod: string, options: Abortable): Promise<PodInspect | undefined> {
    const found = await absentIs(this.#read(['pod', 'inspect', pod], 'inspect a pod', options), undefined)
    return (Array.isArray(found) ? found[0] : found) as PodInspect | undefined
  }

  async inspectContainer(id: string, options: Abortable): Promise<ContainerInspect | undefined> {
    const found = await absentIs(this.#read(['container', 'inspect', id], 'inspect a container', options), [])
    return (found as ContainerInspect[])[0]
  }

  async imageExists(image: string, options: Abortable): Promise<boolean> {
    const missing = /image not known|no such image|unable to inspect/
    const found = await absentIs(
      this.#read(['image', 'inspect', image], 'inspect an image', options),
      [],
      missing
    )
    return (found as unknown[]).length > 0
  }

  async killContainer(id: string, signalName: string, options: Abortable): Promise<void> {
    const args = ['kill', '--signal', signalName, id]
    await absentIs(this.#write(args, 'signal a container', options), '', NOT_RUNNING)
  }

  async startContainer(id: string, options: Abortable): Promise<void> {
    await this.#write(['start', id], 'start a container', options)
  }

  async removePod(id: string, options: Abortable): Promise<void> {
    await absentIs(this.#write(['pod', 'rm', '--force', '--time', '0', id], 'remove a pod', options), '')
  }

  async createVolume(
    name: string,
    labels: Record<string, string>,
    driverOptions: Record<string, string>
  ): Promise<void> {
    const pairs = (flag: string, values: Record<string, string>) =>
      Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`])
    const args = ['volume', 'create', ...pairs('--label', labels), ...pairs('--opt', driverOptions), name]
    await this.#write(args, 'create a volume', {})
  }

  async volumes(label: string, value: string, options: Abortable): Promise<string[]> {
    const args = ['volume', 'ls', '--format', 'json', '--filter', `label=${label}=${value}`]
    return ((await this.#read(args, 'list volumes', options)) as { Name: string }[]).map(({ Name }) => Name)
  }

  async inspectVolume(name: string, options: Abortable): Promise<VolumeInspect | undefined> {
    const found = await absentIs(this.#read(['volume', 'inspect', name], 'inspect a volume', options), [])
    return (found as VolumeInspect[])[0]
  }

  async removeVolume(name: string, options: Abortable): Promise<void> {
    await absentIs(this.#write(['volume', 'rm', name], 'remove a volume', options), '')
  }

  async #read(args: readonly string[], what: string, { signal }: Abortable): Promise<unknown> {
    const stdout = await this.#command.run(args, {
      what,
      timeoutMs: this.#timeouts.readMs,
      ...(signal && { signal })
    })
    return JSON.parse(stdout === '' ? '[]' : stdout)
  }

  #write(args: readonly string[], what: string, { signal }: Abortable): Promise<string> {
    return this.#command.run(args, { what, timeoutMs: this.#timeouts.removeMs, ...(signal && { signal }) })
  }
}

/** `value` when Podman says that the thing is not there (or whatever else `also` describes). */
async function absentIs<T, V>(answer: Promise<T>, value: V, also?: RegExp): Promise<T | V> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof RuntimeError && (ABSENT.test(error.message) || also?.test(error.message)))
      return value
    throw error
  }
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { execa } from 'execa'
import { startTicks } from '../../../../src/runtime/index.ts'
import type { Knowledge, Machine, MachineInit, MachineState } from './machine.ts'
import type { Copy } from './watched-engine.ts'

export interface OutsideQuestion {
  readonly id: number
  readonly verb: 'start' | 'stop' | 'knows'
  readonly bootstrap?: readonly string[]
  readonly skewMs?: number
}

export type OutsideAnswer =
  | { readonly copies: readonly Copy[] }
  | { readonly id: number; readonly result?: unknown; readonly error?: string }

interface Asked {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/** A whole node in a process of its own, on TCP: SIGSTOP, a clock that is wrong and writes that fail are the real thing there. */
export class OutsideMachine implements Machine {
  readonly name: string
  readonly #init: MachineInit
  readonly #asked = new Map<number, Asked>()
  #child: ChildProcess | undefined
  #copies: readonly Copy[] = []
  #state: MachineState = 'off'
  #self = { peerId: '', address: '' }
  #serial = 0

  constructor(init: MachineInit) {
    this.name = init.name
    this.#init = init
  }

  get peerId(): string {
    return this.#self.peerId
  }

  get state(): MachineState {
    return this.#state
  }

  get address(): string {
    return this.#self.address
  }

  /** A real process that is gone does not run, whatever its node says that stands still. */
  copies(): readonly Copy[] {
    return this.#copies.filter(
      ({ process }) => process === undefined || startTicks(process.pid) === process.startTicks
    )
  }

  knows(): Promise<Knowledge> {
    return this.#ask('knows')
  }

  /** @param options.skewMs what its clock is ahead of the others' */
  async start(bootstrap: readonly string[], { skewMs = 0 }: { skewMs?: number } = {}): Promise<void> {
    if (this.#state === 'frozen') this.resume()
    if (this.#state === 'up') return
    this.#child ??= this.#fork()
    this.#self = await this.#ask('start', { bootstrap, skewMs })
    this.#become('up')
  }

  async stop(): Promise<void> {
    if (this.#state !== 'up') return
    await this.#ask('stop')
    this.#become('left')
  }

  async powerOff(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    this.#state = 'off'
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    for (const { process: one } of this.copies()) if (one !== undefined) process.kill(one.pid, 'SIGKILL')
    this.#copies = []
    this.#init.onChange()
  }

  freeze(): void {
    this.#child!.kill('SIGSTOP')
    this.#become('frozen')
  }

  resume(): void {
    this.#child!.kill('SIGCONT')
    this.#become('up')
  }

  /** From now on no write makes a file larger (EFBIG, as ENOSPC would be), or all do again. */
  async fillDisk(isFull: boolean): Promise<void> {
    await execa('prlimit', [
      '--pid',
      String(this.#child!.pid),
      `--fsize=${isFull ? '0' : 'unlimited'}:unlimited`
    ])
  }

  #become(state: MachineState): void {
    this.#state = state
    this.#init.onChange()
  }

  #fork(): ChildProcess {
    const { name, path } = this.#init
    const child = fork(join(import.meta.dirname, 'outside-main.ts'), [name, path], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
    child.on('message', (answer: OutsideAnswer) => {
      if ('copies' in answer) {
        this.#copies = answer.copies
        this.#init.onChange()
        return
      }
      const asked = this.#asked.get(answer.id)
      this.#asked.delete(answer.id)
      if (answer.error === undefined) asked?.resolve(answer.result as never)
      else asked?.reject(new Error(answer.error))
    })
    child.once('exit', () => {
      for (const { reject } of this.#asked.values()) reject(new Error(`${name} is gone`))
      this.#asked.clear()
      if (this.#child === child) this.#become('off')
    })
    return child
  }

  #ask<T>(verb: OutsideQuestion['verb'], more: Partial<OutsideQuestion> = {}): Promise<T> {
    const id = this.#serial++
    return new Promise<T>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#child!.send({ ...more, id, verb })
    })
  }
}

import { readFile } from 'node:fs/promises'
import type { NodeProcess } from '../test/fixtures/node-process.ts'
import { until } from '../test/fixtures/until.ts'

/** What a process holds, bytes. */
export interface HeldMemory {
  /** What is reachable: the heap after a full collection, and the buffers and native parts of what is on it. */
  readonly live: number
  /** Of the process before that collection, as `ps` says. The next three are parts of it. */
  readonly resident: number
  /** Of the program and its libraries, which processes share. */
  readonly file: number
  /** Taken by V8 for its heap: what lives, garbage, and room. */
  readonly heap: number
  /** Of the heap, garbage: what the collection took away. */
  readonly garbage: number
}

/** What a process needs that is to be asked: a port for its debugger that nobody else has. */
export const DEBUGGER_PORT = '--inspect-port=127.0.0.1:0'

/** One question, its collection and its answer. Chosen: it takes 0.3 s on an idle core. */
const DEADLINE_MS = 20_000
/** The debugger listens some ms after the signal. Chosen. */
const SIGNAL_AGAIN_MS = 1_000
const READ = 'process.memoryUsage()'
// later, because closing waits until nobody is connected
const CLOSE = "void setTimeout(() => process.getBuiltinModule('inspector').close(), 100)"

/**
 * Asks a node what it holds, through the debugger that any process of Node.js opens on loopback when it gets SIGUSR1: it needs no build of its own, and
 * a node that has run for a week can be asked the same. The debugger is closed again.
 * @param node started with {@link DEBUGGER_PORT}
 */
export async function heldMemory(node: Pick<NodeProcess, 'pid' | 'stderr'>): Promise<HeldMemory> {
  const { pid } = node
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const said = node.stderr.length
  let signalledAt = -SIGNAL_AGAIN_MS
  const address = await until('until the debugger listens', () => {
    // because one that is still closing from the question before does not hear it, and says nothing
    if (performance.now() - signalledAt >= SIGNAL_AGAIN_MS) {
      process.kill(pid, 'SIGUSR1')
      signalledAt = performance.now()
    }
    return /Debugger listening on (ws:\S+)/.exec(node.stderr.slice(said))?.[1]
  })
  const debug = await Debugger.open(address)
  try {
    const before = await debug.usage()
    await debug.ask('HeapProfiler.collectGarbage')
    const after = await debug.usage()
    return {
      live: after.heapUsed + after.external,
      resident: kilobytesOf('VmRSS', status),
      file: kilobytesOf('RssFile', status),
      heap: before.heapTotal,
      garbage: before.heapUsed - after.heapUsed
    }
  } finally {
    await debug.ask('Runtime.evaluate', { expression: CLOSE }).catch(() => {})
    debug.close()
    await until('until the debugger is closed', () =>
      node.stderr.includes('Debugger ending', said) ? true : undefined
    )
  }
}

function kilobytesOf(field: string, status: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024
}

type Answer = Record<string, unknown>

class Debugger {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>()
  #serial = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const { id = 0, result = {}, error } = JSON.parse(String(data))
      if (error === undefined) this.#waiting.get(id)?.resolve(result)
      else this.#waiting.get(id)?.reject(new Error(error.message))
    })
    socket.addEventListener('close', () => this.#fail('the debugger is gone'))
  }

  static async open(address: string): Promise<Debugger> {
    const socket = new WebSocket(address)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error(`no debugger at ${address}`)))
    await promise
    return new Debugger(socket)
  }

  async usage(): Promise<NodeJS.MemoryUsage> {
    const { result } = await this.ask('Runtime.evaluate', { expression: READ, returnByValue: true })
    return (result as { value: NodeJS.MemoryUsage }).value
  }

  ask(method: string, params: Answer = {}): Promise<Answer> {
    const id = ++this.#serial
    const waiting = Promise.withResolvers<Answer>()
    this.#waiting.set(id, waiting)
    this.#socket.send(JSON.stringify({ id, method, params }))
    const late = setTimeout(() => this.#fail(`${method} took ${DEADLINE_MS} ms`), DEADLINE_MS)
    return waiting.promise.finally(() => {
      clearTimeout(late)
      this.#waiting.delete(id)
    })
  }

  close(): void {
    this.#socket.close()
  }

  #fail(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why))
  }
}

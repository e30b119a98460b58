import type { Duplex } from 'node:stream'
import { type Abortable, delay, timeoutSignal } from '../../common/index.ts'
import { RuntimeError } from '../errors.ts'
import type { ExecOptions, TerminalSize } from '../types.ts'
import { readFrames } from './frames.ts'
import { killTree } from './kill-tree.ts'

/** How long the engine may take to notice that a command has started or ended, ms. Measured 2026-11: below 0.1 s. */
const SETTLE_MS = 3_000
const SETTLE_POLL_MS = 10

export interface RawExec {
  readonly running: boolean
  readonly exitCode: number
  /** On this machine; 0 while it has none. */
  readonly pid: number
}

/** Exec as Docker's API has it, and Podman's too. */
export interface ExecTransport {
  /** The container's ID in the engine. */
  readonly containerId: string
  create(
    config: { readonly command: readonly string[]; readonly tty: boolean; readonly stdin: boolean },
    options: Abortable
  ): Promise<string>
  /** The raw connection: framed output without a terminal, plain with one; what is written is the command's standard input. */
  start(id: string, tty: boolean): Promise<Duplex>
  inspect(id: string): Promise<RawExec>
  resize(id: string, size: TerminalSize): Promise<void>
  /** After the end of the connection: whether it broke, and the command may still run. */
  isLost?(): Promise<boolean>
  /** Tidies up after a command that has ended. */
  forget?(id: string): Promise<void>
}

/** Carries one command through; see `RuntimeEngine.exec` for what it promises. */
export async function runExec(
  transport: ExecTransport,
  options: ExecOptions
): Promise<{ readonly exitCode: number }> {
  const { command, tty = false, stdin, resizes, onOutput, signal, timeoutMs } = options
  const timeout = timeoutMs === undefined ? undefined : timeoutSignal(timeoutMs)
  const ended = AbortSignal.any([signal, timeout].filter((one) => one !== undefined))
  ended.throwIfAborted()
  const id = await transport.create({ command, tty, stdin: stdin !== undefined }, { signal: ended })
  let stream: Duplex | undefined
  let started = false
  const done = new AbortController()
  try {
    stream = await transport.start(id, tty)
    const connection = stream
    connection.on('error', () => {}) // it also shows where it is read
    ended.addEventListener('abort', () => connection.destroy(ended.reason), { signal: done.signal })
    if (ended.aborted) connection.destroy(ended.reason)
    const fed =
      stdin === undefined
        ? undefined
        : feed(connection, stdin, done.signal).catch((error) => connection.destroy(error))
    if (resizes !== undefined && tty) void follow(resizes, (size) => transport.resize(id, size), done.signal)
    const frames = tty ? plain(connection) : readFrames(connection)
    for await (const frame of frames) {
      started = true
      await onOutput(frame.stream, frame.bytes)
    }
    ended.throwIfAborted()
    void fed
    return { exitCode: await awaitExit(transport, id, ended) }
  } catch (error) {
    await kill(transport, id, started)
    signal?.throwIfAborted()
    if (timeout?.aborted === true)
      throw new RuntimeError('EXEC_TIMEOUT', `"${command[0]}" did not end within ${timeoutMs} ms`, {
        cause: error
      })
    throw error
  } finally {
    done.abort()
    stream?.destroy()
    await transport.forget?.(id).catch(() => {}) // it only costs the engine some memory
  }
}

async function* plain(source: AsyncIterable<Buffer>): AsyncGenerator<{ stream: 'stdout'; bytes: Buffer }> {
  for await (const bytes of source) yield { stream: 'stdout', bytes }
}

async function feed(stream: Duplex, stdin: AsyncIterable<Uint8Array>, done: AbortSignal): Promise<void> {
  await follow(
    stdin,
    async (bytes) => {
      if (stream.destroyed || stream.write(bytes)) return
      await new Promise<void>((resolve) => {
        stream.once('drain', resolve).once('close', resolve)
      })
    },
    done
  )
  if (!done.aborted) stream.end()
}

/** Every value until there are no more, or until the command has ended: a source that waits for a key is then not waited for. */
async function follow<T>(
  source: AsyncIterable<T>,
  take: (value: T) => Promise<void>,
  done: AbortSignal
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]()
  const stopped = new Promise<'stopped'>((resolve) => {
    done.addEventListener('abort', () => resolve('stopped'), { once: true })
  })
  for (;;) {
    const next = await Promise.race([iterator.next(), stopped])
    if (next === 'stopped') return void iterator.return?.()?.catch(() => {})
    if (next.done === true) return
    await take(next.value)
  }
}

/** Its exit code; usually it has ended together with its output. */
async function awaitExit(transport: ExecTransport, id: string, signal: AbortSignal): Promise<number> {
  if ((await transport.isLost?.()) === true)
    throw new RuntimeError('EXEC_FAILED', 'the connection to the command was lost')
  for (;;) {
    const { running, exitCode } = await transport.inspect(id)
    if (!running) return exitCode
    await delay(SETTLE_POLL_MS, { signal })
  }
}

async function kill(transport: ExecTransport, id: string, started: boolean): Promise<void> {
  // a command that is just being started has no PID yet, and engines then say of it what they say of one that has ended
  const { running, pid } = await settle(transport, id, (exec) => exec.pid > 0 || (started && !exec.running))
  if (running) await killTree(pid, transport.containerId)
}

async function settle(
  transport: ExecTransport,
  id: string,
  accept: (exec: RawExec) => boolean
): Promise<RawExec> {
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const exec = await transport.inspect(id)
    if (accept(exec) || performance.now() > deadline) return exec
    await delay(SETTLE_POLL_MS)
  }
}

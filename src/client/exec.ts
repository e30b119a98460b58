import { type Abortable, raceSignal } from '../common/index.ts'
import { decode } from '../envelope/index.ts'
import { EXEC_OUTPUT, encodeExecInput, encodeExecRequest } from '../generated/fbs/index.ts'
import { CREDIT_FRAMES, WireError } from '../wire/index.ts'
import type { Session, Target } from './connection/session.ts'

/** Bytes of one input frame. Source: fbs/exec_input.fbs. */
const MAX_INPUT_BYTES = 16_384

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export interface ExecQuery extends Abortable {
  /** Program and arguments; no shell. */
  readonly command: readonly string[]
  readonly container?: string
  readonly tty?: boolean
  /** What is typed; its end closes the command's standard input. */
  readonly stdin?: AsyncIterable<Uint8Array>
  readonly size?: TerminalSize
  readonly resizes?: AsyncIterable<TerminalSize>
  /** Nothing more is read until it resolves. */
  readonly onOutput: (stream: 'stdout' | 'stderr', data: Uint8Array) => void | Promise<void>
}

/** Runs a command in a copy on one node, to its end. */
export async function execOn(
  session: Session,
  { target, manifestId, workloadId }: { target: Target; manifestId: Uint8Array; workloadId?: string },
  query: ExecQuery
): Promise<{ readonly exitCode: number }> {
  const { command, container, tty, stdin, size, onOutput, signal } = query
  const over = new AbortController()
  const inputs = new Credit()
  const encode = (replyKey: Uint8Array) =>
    encodeExecRequest({
      manifestId,
      workloadId,
      container,
      command,
      tty,
      stdin: stdin !== undefined || tty,
      ...size,
      replyKey
    })
  const onAnswered = (say: (input: Uint8Array) => Promise<void>) => {
    const send = async (input: Parameters<typeof encodeExecInput>[0]) => {
      await inputs.take(over.signal)
      await say(encodeExecInput(input))
    }
    // what cannot be sent any more is of no use: the command has ended
    void typeAll(query, send).catch(() => {})
    void resizeAll(query, send).catch(() => {})
  }
  try {
    for await (const body of session.ask(target, 'exec', encode, { signal, onAnswered })) {
      const { stream, data, inputsTaken, ended, exitCode } = decode(EXEC_OUTPUT, body)
      inputs.taken(inputsTaken)
      if (data !== undefined && data.byteLength > 0) await onOutput(stream, data)
      if (ended) return { exitCode }
    }
    throw new WireError('CONNECTION_LOST', 'the connection ended before the command did', { retryable: true })
  } finally {
    over.abort()
  }
}

type Send = (input: { data?: Uint8Array; end?: boolean } & Partial<TerminalSize>) => Promise<void>

async function typeAll({ stdin, tty }: ExecQuery, send: Send): Promise<void> {
  if (stdin === undefined && !tty) return
  for await (const chunk of stdin ?? [])
    for (let at = 0; at < chunk.byteLength; at += MAX_INPUT_BYTES)
      await send({ data: chunk.subarray(at, at + MAX_INPUT_BYTES) })
  if (stdin !== undefined) await send({ end: true })
}

async function resizeAll({ resizes }: ExecQuery, send: Send): Promise<void> {
  for await (const size of resizes ?? []) await send(size)
}

/** At most as many frames on their way as the node has credit for. */
class Credit {
  #sent = 0
  #taken = 0
  #changed = Promise.withResolvers<void>()

  async take(signal: AbortSignal): Promise<void> {
    while (this.#sent - this.#taken >= CREDIT_FRAMES) await raceSignal(this.#changed.promise, signal)
    signal.throwIfAborted()
    this.#sent++
  }

  taken(count: number): void {
    this.#taken = Math.max(this.#taken, count)
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

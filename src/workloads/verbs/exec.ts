import { decode } from '../../envelope/index.ts'
import { EXEC_INPUT, type ExecRequest, encodeExecOutput } from '../../generated/fbs/index.ts'
import type { TerminalSize } from '../../runtime/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { mayAsk } from '../access.ts'
import { type Context, RUNNING } from '../context.ts'
import { WorkloadsError } from '../errors.ts'

/** Output of one frame. Source: fbs/exec_output.fbs. */
const MAX_CHUNK_BYTES = 65_536

/** Runs a command in a copy here, with what the asker types, until it ends or the asker leaves. */
export async function exec(context: Context, request: OwnerRequest<ExecRequest>): Promise<void> {
  const { payload, reply, signal } = request
  if (context.init.exec !== true)
    throw new WorkloadsError('EXEC_DISABLED', 'this node runs no commands in workloads', {
      hint: 'Whoever runs the node allows it with "exec: true" in its configuration (BEEMESH_EXEC=true).'
    })
  const copy = findCopy(context, request)
  const input = new Input(reply.inputs(), payload)
  const send = (frame: Parameters<typeof encodeExecOutput>[0], last = false) =>
    reply.send(encodeExecOutput({ ...frame, inputsTaken: input.taken }), { last, signal })
  await send({})
  const { exitCode } = await context.init.engines.get(copy.engine).exec(copy.workloadId, {
    command: payload.command,
    container: payload.container || undefined,
    tty: payload.tty,
    stdin: payload.stdin ? input.typed(() => void send({}).catch(() => {})) : undefined, // tells that more may be typed
    resizes: payload.tty ? input.sizes() : undefined,
    signal,
    onOutput: async (stream, bytes) => {
      for (let at = 0; at < bytes.byteLength; at += MAX_CHUNK_BYTES)
        await send({ stream, data: bytes.subarray(at, at + MAX_CHUNK_BYTES) })
    }
  })
  await send({ ended: true, exitCode }, true)
}

function findCopy(context: Context, { authorPeerId, payload }: OwnerRequest<ExecRequest>) {
  const held = context.table.get(payload.manifestId)
  if (held === undefined || held.tombstone || !mayAsk(context, authorPeerId, 'exec', held))
    throw new WorkloadsError('MANIFEST_NOT_FOUND', 'this node does not run the manifest')
  const copies = held.workloads.filter(
    ({ workloadId }) => !payload.workloadId || payload.workloadId === workloadId
  )
  const copy = copies.find(({ state }) => RUNNING.has(state))
  if (copy !== undefined) return copy
  throw new WorkloadsError('MANIFEST_NOT_FOUND', 'no copy of it runs on this node')
}

/** Splits what the asker says into what is typed and sizes of the terminal. */
class Input {
  taken = 0
  readonly #frames: AsyncGenerator<Uint8Array>
  readonly #sizes: TerminalSize[] = []
  #sizeCame = Promise.withResolvers<void>()
  #ended = false

  constructor(frames: AsyncGenerator<Uint8Array>, { columns, rows }: TerminalSize) {
    this.#frames = frames
    if (columns > 0) this.#sizes.push({ columns, rows })
  }

  /** @param onTaken called for each frame, so that the asker may send another */
  async *typed(onTaken: () => void): AsyncGenerator<Uint8Array> {
    try {
      for await (const frame of this.#frames) {
        const { data, end, columns, rows } = decode(EXEC_INPUT, frame)
        this.taken++
        if (columns > 0) {
          this.#sizes.push({ columns, rows })
          this.#sizeCame.resolve()
        }
        if (data !== undefined && data.byteLength > 0) yield data
        onTaken()
        if (end) return
      }
    } finally {
      this.#ended = true
      this.#sizeCame.resolve()
    }
  }

  async *sizes(): AsyncGenerator<TerminalSize> {
    for (;;) {
      while (this.#sizes.length > 0) yield this.#sizes.shift()!
      if (this.#ended) return
      await this.#sizeCame.promise
      this.#sizeCame = Promise.withResolvers()
    }
  }
}

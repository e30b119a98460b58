import { delay, toError } from '../../common/index.ts'
import { encodeLogReply, type LogEntryInit, type Query } from '../../generated/fbs/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { mayAsk } from '../access.ts'
import { LOG_BATCH } from '../constants.ts'
import type { Context } from '../context.ts'
import { WorkloadsError } from '../errors.ts'

const MAX_LINE_BYTES = 60_000

/** Log lines of the copies of one manifest here, as they come; ends when the containers have ended or the asker leaves. */
export async function logs(
  context: Context,
  { authorPeerId, payload, reply, signal }: OwnerRequest<Query>
): Promise<void> {
  const manifestId = payload.manifestIds[0]?.value ?? new Uint8Array()
  const held = context.table.get(manifestId)
  if (held === undefined || held.tombstone || !mayAsk(context, authorPeerId, 'logs', held))
    throw new WorkloadsError('MANIFEST_NOT_FOUND', 'this node does not run the manifest')
  const copies = held.workloads.filter(
    ({ workloadId }) => !payload.workloadId || payload.workloadId === workloadId
  )
  const batch = new LogBatch((entries, last) => reply.send(encodeLogReply({ entries }), { last, signal }))
  const stop = new AbortController()
  const options = {
    follow: payload.follow,
    tail: payload.tail < 0 ? undefined : payload.tail,
    sinceMs: payload.since || undefined,
    container: payload.container || undefined,
    signal: AbortSignal.any([signal, stop.signal])
  }
  try {
    await Promise.all(
      copies.map(async ({ workloadId, engine }) => {
        for await (const line of context.init.engines.get(engine).logs(workloadId, options))
          await batch.add({
            workloadId,
            container: line.container,
            stream: line.stream,
            timestamp: line.timestampMs,
            line: cut(line.line)
          })
      })
    )
    await batch.end()
  } finally {
    stop.abort()
  }
}

function cut(line: string): string {
  return Buffer.byteLength(line) <= MAX_LINE_BYTES
    ? line
    : Buffer.from(line).subarray(0, MAX_LINE_BYTES).toString('utf8')
}

/** Collects lines for a moment, so that a burst does not become a frame a line. One frame is sent at a time. */
class LogBatch {
  readonly #send: (entries: LogEntryInit[], last: boolean) => Promise<void>
  #entries: LogEntryInit[] = []
  #bytes = 0
  #flushing: Promise<void> | undefined
  /** Ends the wait for more lines. */
  #hurry = new AbortController()
  #failure: Error | undefined

  constructor(send: (entries: LogEntryInit[], last: boolean) => Promise<void>) {
    this.#send = send
  }

  /** Waits while the frame before is still on its way and this one is full: that is the back-pressure. */
  async add(entry: LogEntryInit): Promise<void> {
    this.#entries.push(entry)
    this.#bytes += Buffer.byteLength(entry.line)
    const full = this.#entries.length >= LOG_BATCH.lines || this.#bytes >= LOG_BATCH.bytes
    if (full) {
      this.#hurry.abort()
      while (this.#flushing !== undefined) await this.#flushing
      await this.#flush(false)
    } else this.#flushSoon()
    if (this.#failure !== undefined) throw this.#failure
  }

  async end(): Promise<void> {
    this.#hurry.abort()
    while (this.#flushing !== undefined) await this.#flushing
    if (this.#failure !== undefined) throw this.#failure
    await this.#flush(true)
  }

  #flushSoon(): void {
    if (this.#flushing !== undefined) return
    this.#hurry = new AbortController()
    this.#flushing = delay(LOG_BATCH.waitMs, { signal: this.#hurry.signal })
      .catch(() => {}) // because there is enough to send already
      .then(() => this.#flush(false))
      .catch((thrown) => {
        this.#failure = toError(thrown)
      })
      .finally(() => {
        this.#flushing = undefined
      })
  }

  /** Several copies may have added lines while a frame was on its way: what is too much for one frame goes in several. */
  async #flush(last: boolean): Promise<void> {
    const entries = this.#entries
    this.#entries = []
    this.#bytes = 0
    let frame: LogEntryInit[] = []
    let bytes = 0
    for (const entry of entries) {
      frame.push(entry)
      bytes += Buffer.byteLength(entry.line)
      if (frame.length < LOG_BATCH.lines && bytes < LOG_BATCH.bytes) continue
      await this.#send(frame, false)
      frame = []
      bytes = 0
    }
    if (frame.length > 0 || last) await this.#send(frame, last)
  }
}

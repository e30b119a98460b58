import { type FileHandle, open, stat } from 'node:fs/promises'
import { type Abortable, delay } from '../../../common/index.ts'
import type { LogLine } from '../../types.ts'
import { LOG_CHUNK_BYTES, LOG_MAX_LINE_BYTES, LOG_POLL_MS, LOG_POLLS_PER_STATE } from '../constants.ts'
import { parseLogRecord } from './log-record.ts'

export interface ReadLogFileOptions extends Abortable {
  readonly container: string
  readonly tail?: number
  readonly sinceMs?: number
  /** Asked at the end of the file, now and then: true lets the reading go on until this says false. Undefined: do not follow. */
  readonly isGrowing?: () => Promise<boolean>
}

const NEWLINE = 0x0a

/**
 * The lines of one container from the file that conmon writes. Nothing is read ahead of the consumer beyond one chunk, so a slow
 * consumer costs no memory. Follows the file when conmon starts it anew. A file that is not there has no lines.
 */
export async function* readLogFile(path: string, options: ReadLogFileOptions): AsyncGenerator<LogLine> {
  const { container, tail, sinceMs = 0, signal } = options
  const unfinished: Partial<Record<LogLine['stream'], LogLine>> = {}
  for await (const record of readRecords(path, tail, options)) {
    const parsed = parseLogRecord(record)
    if (parsed === undefined) continue
    const { stream, timestampMs, partial } = parsed
    const line = (unfinished[stream]?.line ?? '') + parsed.text
    delete unfinished[stream]
    if (timestampMs < sinceMs) continue
    if (partial && line.length < LOG_MAX_LINE_BYTES) {
      unfinished[stream] = { container, stream, timestampMs, line }
      continue
    }
    signal?.throwIfAborted()
    yield { container, stream, timestampMs, line }
  }
  yield* Object.values(unfinished) // the last words, without a newline
}

async function* readRecords(
  path: string,
  tail: number | undefined,
  { isGrowing, signal }: ReadLogFileOptions
): AsyncGenerator<string> {
  let file = await openOrNothing(path)
  if (file === undefined) return
  try {
    let position = tail === undefined ? 0 : await findTail(file, tail)
    let rest = Buffer.alloc(0)
    for (let idle = 0, growing = true; ; ) {
      signal?.throwIfAborted()
      const chunk = Buffer.alloc(LOG_CHUNK_BYTES)
      const { bytesRead } = await file.read(chunk, 0, chunk.length, position)
      position += bytesRead
      if (bytesRead > 0) {
        idle = 0
        const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
        const end = bytes.lastIndexOf(NEWLINE) + 1
        rest = bytes.subarray(end)
        if (end > 0) yield* bytes.toString('utf8', 0, end - 1).split('\n')
        continue
      }
      const renewed = await openRenewed(path, file)
      if (renewed !== undefined) {
        await file.close()
        file = renewed
        position = 0
        rest = Buffer.alloc(0)
        continue
      }
      // asked before the last look, so that what was written until the end is still read
      if (isGrowing === undefined || !growing) return
      if (idle++ % LOG_POLLS_PER_STATE === LOG_POLLS_PER_STATE - 1) growing = await isGrowing()
      if (growing) await delay(LOG_POLL_MS, { ...(signal && { signal }) })
    }
  } finally {
    await file.close()
  }
}

/** Where the last `lines` lines begin: behind the end of the line before them. Reads backwards, so little of a large file. */
async function findTail(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat()
  if (lines === 0) return size
  let ends = 0
  let later = Buffer.alloc(0)
  for (let start = size; start > 0; ) {
    const length = Math.min(start, LOG_CHUNK_BYTES)
    start -= length
    const chunk = Buffer.alloc(length)
    await file.read(chunk, 0, length, start)
    const bytes = Buffer.concat([chunk, later])
    let end = bytes.lastIndexOf(NEWLINE)
    for (;;) {
      const before = end > 0 ? bytes.lastIndexOf(NEWLINE, end - 1) : -1
      if (end < 0 || (before < 0 && start > 0)) break // the record begins in an earlier chunk
      const record = parseLogRecord(bytes.toString('utf8', before + 1, end))
      if (ends === 0 && record?.partial)
        ends = 1 // last words without a newline are a line too
      else if (record?.partial === false && ends++ === lines) return start + end + 1
      if (before < 0) return 0
      end = before
    }
    later = bytes.subarray(0, end + 1)
  }
  return 0
}

/** The file anew, when conmon has put another in its place. */
async function openRenewed(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const [now, ours] = [await stat(path).catch(() => undefined), await file.stat()]
  return now === undefined || now.ino === ours.ino ? undefined : openOrNothing(path)
}

async function openOrNothing(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

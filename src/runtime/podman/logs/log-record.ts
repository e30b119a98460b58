/** One record of a k8s-file (CRI) log: `<RFC 3339 with nanoseconds> stdout|stderr F|P <text>`. */
export interface LogRecord {
  readonly timestampMs: number
  readonly stream: 'stdout' | 'stderr'
  /** P: the line goes on in the next record of the same stream. */
  readonly partial: boolean
  readonly text: string
}

/** Undefined for what is no record (a torn write after a crash). */
export function parseLogRecord(record: string): LogRecord | undefined {
  const match = /^(\S+) (stdout|stderr) ([FP])(?: (.*))?$/s.exec(record)
  if (match === null) return undefined
  const [, time = '', stream, tag, text = ''] = match
  const timestampMs = Date.parse(time)
  if (Number.isNaN(timestampMs)) return undefined
  return { timestampMs, stream: stream as 'stdout' | 'stderr', partial: tag === 'P', text }
}

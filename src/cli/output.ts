import { isBeemeshError, safeText, toError } from '../common/index.ts'
import { exitCodeOf } from './exit-codes.ts'

export type OutputFormat = 'json' | 'table'

/** Where a command writes: results to stdout, everything else to stderr. */
export class Output {
  readonly format: OutputFormat

  constructor(format: OutputFormat) {
    this.format = format
  }

  get json(): boolean {
    return this.format === 'json'
  }

  /** The one result of a command: a JSON document, or what `human` prints. */
  result(document: unknown, human: () => string): void {
    process.stdout.write(this.json ? `${JSON.stringify(document)}\n` : `${human().replace(/\n*$/, '')}\n`)
  }

  /** One of many results, as they come: JSON Lines. */
  line(document: unknown, human: string): void {
    process.stdout.write(this.json ? `${JSON.stringify(document)}\n` : `${human}\n`)
  }

  /** What happens meanwhile. */
  progress(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  /** What went wrong; returns the exit code. What it is, where, and what to try next. */
  error(thrown: unknown): number {
    const error = toError(thrown)
    const code = isBeemeshError(error) ? error.code : error.name === 'TimeoutError' ? 'TIMED_OUT' : 'INTERNAL'
    const message =
      code === 'TIMED_OUT' && !isBeemeshError(error) ? 'no complete answer within --timeout' : error.message
    const details = isBeemeshError(error) ? error.details : {}
    const hint = isBeemeshError(error) ? error.hint : undefined
    if (this.json) process.stdout.write(`${JSON.stringify({ error: { code, message, details, hint } })}\n`)
    else {
      process.stderr.write(`error: ${safeText(message, 16_000)} [${code}]\n`)
      for (const line of candidatesOf(details)) process.stderr.write(`  ${line}\n`)
      if (hint !== undefined) process.stderr.write(`  → ${hint}\n`)
    }
    return exitCodeOf(error)
  }
}

function candidatesOf(details: Readonly<Record<string, unknown>>): string[] {
  const list = details.candidates ?? details.nodes
  if (!Array.isArray(list)) return []
  return list.map((one: unknown) =>
    typeof one === 'object' && one !== null ? Object.values(one).map(String).join('  ') : String(one)
  )
}

/** Columns as wide as they need, two spaces between, as kubectl prints. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map((cell) => safeText(cell, 200)))
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

/** 850 -> "850ms", 12_300 -> "12s", 4_000_000 -> "1h6m". */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m${seconds % 60 ? `${seconds % 60}s` : ''}`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours}h${minutes % 60 ? `${minutes % 60}m` : ''}` : `${Math.floor(hours / 24)}d`
}

export function portsText(
  ports: readonly { containerPort: number; hostPort: number; hostIp?: string; protocol: string }[]
): string {
  return ports
    .map(
      ({ containerPort, hostPort, hostIp, protocol }) =>
        `${hostIp ?? ''}:${hostPort}->${containerPort}/${protocol.toLowerCase()}`
    )
    .join(',')
}

/** `deployment/web`; the manifest ID where nobody who was asked can read what it is called. */
export function describeRef({
  kind,
  name,
  manifestId
}: {
  kind: string
  name: string
  manifestId: string
}): string {
  return name === '' ? manifestId : `${kind.toLowerCase()}/${name}`
}

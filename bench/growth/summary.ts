import { type Counts, KINDS, type Kind } from './count.ts'
import type { Measured } from './measured.ts'

/** What the bench says of one sort of message: for each announcement or lookup, all nodes together. */
export interface Figure {
  readonly median: number
  readonly mean: number
}

const { announce, lookupFirst, lookupAll } = {
  announce: (measured: Measured) => measured.announce,
  lookupFirst: (measured: Measured) => measured.lookupFirst,
  lookupAll: (measured: Measured) => measured.lookupAll
}
const HINTS: readonly Kind[] = ['hint']
const DHT: readonly Kind[] = ['findNode', 'addProvider', 'getProviders']
/** Everything but the IDs in heartbeats, which messages about other things mostly share. */
const SAID = KINDS.filter((kind) => !HINTS.includes(kind))

/** Rows of the table: what of which operation. The first of each operation is its sum. */
export const ROWS = {
  announce: { label: 'announce: DHT and gossip', of: announce, kinds: SAID },
  announceDht: { label: 'of it the DHT', of: announce, kinds: DHT },
  announceGossip: { label: 'of it copies by gossip', of: announce, kinds: ['gossip'] },
  announceHints: { label: 'beside it IDs in gossip heartbeats', of: announce, kinds: HINTS },
  lookupFirst: { label: 'lookup, first provider', of: lookupFirst, kinds: SAID },
  lookupFirstDht: { label: 'of it the DHT', of: lookupFirst, kinds: DHT },
  lookupAll: { label: 'lookup, all providers', of: lookupAll, kinds: SAID },
  lookupAllDht: { label: 'of it the DHT', of: lookupAll, kinds: DHT }
} as const satisfies Record<
  string,
  { label: string; of: (measured: Measured) => readonly Counts[]; kinds: readonly Kind[] }
>
export type Row = keyof typeof ROWS
export const ROW_NAMES = Object.keys(ROWS) as Row[]

export interface Summary {
  readonly nodes: number
  readonly announcements: number
  readonly lookups: number
  /** Median of how many others a node is connected to. */
  readonly connections: number
  /** Share of lookups of the first provider that a record held by the asker itself answers. */
  readonly answeredByOwnRecords: number
  readonly figures: Readonly<Record<Row, Figure>>
}

export function summarise(measured: Measured): Summary {
  const figures = Object.fromEntries(
    ROW_NAMES.map((name) => {
      const { of, kinds } = ROWS[name]
      return [name, figureOf(of(measured).map((counts) => sum(counts, kinds)))]
    })
  ) as Record<Row, Figure>
  const local = measured.lookupFirst.filter((counts) => sum(counts, ['ask']) <= 2) // one question, one answer
  return {
    nodes: measured.nodes,
    announcements: measured.announce.length,
    lookups: measured.lookupFirst.length,
    connections: figureOf(measured.connections).median,
    answeredByOwnRecords: rounded(local.length / measured.lookupFirst.length),
    figures
  }
}

function sum(counts: Counts, kinds: readonly Kind[]): number {
  return kinds.reduce((total, kind) => total + counts[kind], 0)
}

function figureOf(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b)
  const middle =
    (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2
  return { median: middle, mean: rounded(sorted.reduce((total, value) => total + value, 0) / sorted.length) }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

/** Median and mean, as "183 / 184.5"; the second is left out when it says the same. */
export function shown({ median, mean }: Figure): string {
  const [first, second] = [median, mean].map((value) => (value < 100 ? rounded(value) : Math.round(value)))
  return Math.abs(median - mean) < median * 0.02 ? `${first}` : `${first} / ${second}`
}

/** The larger mesh against the smaller, by median and by mean; undefined where the smaller sends none. */
export function ratio(small: Summary, large: Summary, row: Row): Figure | undefined {
  const [a, b] = [small.figures[row], large.figures[row]]
  if (a.median === 0 || a.mean === 0) return undefined
  return { median: rounded(b.median / a.median), mean: rounded(b.mean / a.mean) }
}

/** In Markdown, one row a sort of message. */
export function toTable(real: readonly Summary[], simulated: readonly Summary[], bound: number): string {
  const head = [
    'messages',
    ...real.map(({ nodes }) => `${nodes} real`),
    `ratio, bound ${bound}`,
    ...simulated.map(({ nodes }) => `${nodes} simulated`)
  ]
  const rows = ROW_NAMES.map((row) => {
    const [small, large] = [real[0], real.at(-1)]
    const grown = small === undefined || large === undefined ? undefined : ratio(small, large, row)
    return [
      ROWS[row].label,
      ...real.map(({ figures }) => shown(figures[row])),
      grown === undefined ? '-' : `${shown(grown)}`,
      ...simulated.map(({ figures }) => shown(figures[row]))
    ]
  })
  const beside = (label: string, of: (summary: Summary) => string) => [
    label,
    ...real.map(of),
    '',
    ...simulated.map(of)
  ]
  const all = [
    head,
    head.map(() => '---'),
    ...rows,
    beside(
      'first lookups answered by own records',
      (one) => `${Math.round(one.answeredByOwnRecords * 100)} %`
    ),
    beside('connections of a node', ({ connections }) => `${connections}`)
  ]
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

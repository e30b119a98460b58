import { isBeemeshError, toError } from '../../src/common/index.ts'
import { mutantOf } from './mutant.ts'
import { outsideOf, surround } from './outside.ts'
import type { Finding, Target, TargetCount } from './types.ts'

/** No mutant may take longer. Source: the task this fuzzer is for. */
export const MAX_MS = 50
/** The heap may grow by this between a tenth of the mutants and all of them. */
export const MAX_GROWTH_BYTES = 5 * 1024 * 1024
/** Alike findings of one target that are kept; the rest is counted. */
const MAX_ALIKE = 3

export interface FuzzResult {
  readonly counts: ReadonlyMap<string, TargetCount>
  readonly findings: readonly Finding[]
  /** All of them, those that are not kept too. */
  readonly found: number
  /** Undefined without --expose-gc. */
  readonly growthBytes: number | undefined
}

export interface FuzzInit {
  readonly targets: readonly Target[]
  readonly mutants: number
  readonly seed: number
  /** Called before each, with the number of the mutant. */
  readonly watch?: (index: number) => void
}

/** Feeds mutants to all targets in turn, so that after a tenth of them each has had a tenth. */
export async function runFuzz({ targets, mutants, seed, watch }: FuzzInit): Promise<FuzzResult> {
  const rounds = roundOf(targets)
  const counts = new Map<string, TargetCount>(
    targets.map(({ name }) => [name, { mutants: 0, accepted: 0, refused: new Map(), slowestMs: 0 }])
  )
  const findings: Finding[] = []
  const alike = new Map<string, number>()
  let found = 0
  let before: number | undefined
  for (let index = 0; index < mutants; index++) {
    if (index === Math.floor(mutants / 10)) before = heapUsed()
    const target = rounds[index % rounds.length]!
    const mutant = mutantOf(target, seed, index)
    watch?.(index)
    const outcome = await feed(target, mutant)
    note(counts.get(target.name)!, outcome)
    for (const { kind, what } of outcome.wrong) {
      found++
      const name = `${target.name} ${kind} ${what.replace(/\d+/g, '0')}`
      alike.set(name, (alike.get(name) ?? 0) + 1)
      if (alike.get(name)! <= MAX_ALIKE)
        findings.push({ target: target.name, kind, seed, index, what, mutant })
    }
  }
  const after = heapUsed()
  const growthBytes = before === undefined || after === undefined ? undefined : after - before
  return { counts, findings, found, growthBytes }
}

export interface Outcome {
  /** Undefined: accepted. */
  readonly code: string | undefined
  readonly tookMs: number
  readonly wrong: readonly Pick<Finding, 'kind' | 'what'>[]
}

/** Feeds one mutant, and looks at what comes of it. */
export async function feed(target: Target, mutant: Uint8Array): Promise<Outcome> {
  const message = surround(mutant)
  const wrong: Pick<Finding, 'kind' | 'what'>[] = []
  let { tookMs, value, error } = await attempt(target, message)
  // a slow input is slow each time; the garbage collector is not, and a busy machine takes no CPU of ours: the quickest counts
  for (let again = 0; tookMs > MAX_MS && again < 3; again++) {
    const before = process.cpuUsage()
    tookMs = Math.min(tookMs, (await attempt(target, surround(mutant))).tookMs)
    const { user, system } = process.cpuUsage(before)
    tookMs = Math.min(tookMs, (user + system) / 1000)
  }
  if (tookMs > MAX_MS) wrong.push({ kind: 'slow', what: `${tookMs.toFixed(0)} ms` })
  if (error !== undefined && !(isBeemeshError(error) && /^[A-Z][A-Z0-9_]+$/.test(error.code)))
    wrong.push({ kind: 'crash', what: describe(error) })
  const outside = outsideOf(message, error ?? value)
  if (outside !== undefined) wrong.push({ kind: 'outside', what: outside })
  const code = error === undefined ? undefined : isBeemeshError(error) ? error.code : error.name
  return { code, tookMs, wrong }
}

async function attempt(
  { feed }: Target,
  message: Uint8Array
): Promise<{ tookMs: number; value?: unknown; error?: Error }> {
  const startedAt = performance.now()
  try {
    const result = feed(message)
    const value = result instanceof Promise ? await result : result
    return { tookMs: performance.now() - startedAt, value }
  } catch (thrown) {
    return { tookMs: performance.now() - startedAt, error: toError(thrown) }
  }
}

function note(count: TargetCount, { code, tookMs }: Outcome): void {
  count.mutants++
  count.slowestMs = Math.max(count.slowestMs, tookMs)
  if (code === undefined) count.accepted++
  else count.refused.set(code, (count.refused.get(code) ?? 0) + 1)
}

/** Every target as often as its share, spread out. */
function roundOf(targets: readonly Target[]): Target[] {
  const most = Math.max(...targets.map(({ share = 4 }) => share))
  return Array.from({ length: most }, (_, round) =>
    targets.filter(
      ({ share = 4 }) => Math.floor(((round + 1) * share) / most) > Math.floor((round * share) / most)
    )
  ).flat()
}

function describe({ name, message, stack = '' }: Error): string {
  const where = stack.split('\n').find((line) => line.includes('/src/')) ?? ''
  return `${name}: ${message.slice(0, 200)} ${where.trim().replace(/\(?file:.*\/(src\/)/, '$1')}`.trim()
}

function heapUsed(): number | undefined {
  if (globalThis.gc === undefined) return undefined
  for (let round = 0; round < 4; round++) globalThis.gc()
  return process.memoryUsage().heapUsed
}

/**
 * `npm run chaos -- [--minutes N | --runs N] [--seed S] [--nodes M] [--jobs J]`: simulated meshes in which things go wrong, one after the
 * other on each core, each from a seed of its own. A run in which something does not hold prints what, and the line that repeats it. Exits 1
 * when there was one. `--chaos MS` sets for how long things go wrong, `--calm` lets nothing go wrong, `--services` leaves out Jobs, CronJobs
 * and what is scaled; `--trace` prints what happened, `--log` also what the nodes say.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type SimulationInit, type SimulationResult, simulate } from '../test/simulation/simulate.ts'

/** Sizes that are tried in turn: small ones, where every node matters, and one where few nodes are keepers. */
const SIZES = [1, 2, 3, 4, 5, 7, 10, 30]
/** A process is replaced after so many, because what a run leaves in caches of libraries stays: about 2 MB. */
const RUNS_PER_PROCESS = 100

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    runs: { type: 'string' },
    seed: { type: 'string' },
    nodes: { type: 'string' },
    jobs: { type: 'string' },
    chaos: { type: 'string' },
    calm: { type: 'boolean', default: false },
    services: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false }
  }
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const runs = Number(values.runs ?? (values.minutes === undefined && values.seed !== undefined ? 1 : Infinity))
const minutes = Number(
  values.minutes ?? (values.runs === undefined && values.seed === undefined ? 1 : Infinity)
)
const isTold = values.trace || values.log
const jobs = isTold ? 0 : Math.min(runs, Number(values.jobs ?? availableParallelism()))
const chaosMs = values.chaos === undefined ? undefined : Number(values.chaos)
const startedAt = performance.now()
const total = { runs: 0, broken: 0, events: 0, virtualMs: 0, applies: 0 }
const faults: Record<string, number> = {}
const converged: number[] = []
let index = 0

function next(): SimulationInit | undefined {
  if (index >= runs || performance.now() - startedAt >= minutes * 60_000) return undefined
  const nodes = Number(values.nodes ?? SIZES[index % SIZES.length])
  return { seed: seed + index++, nodes, chaosMs, calm: values.calm, servicesOnly: values.services }
}

function note(init: SimulationInit, result: SimulationResult): void {
  total.runs++
  total.events += result.events
  total.virtualMs += result.virtualMs
  total.applies += result.applies
  converged.push(result.convergedMs)
  for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count
  if (result.broken.length === 0) return
  total.broken++
  for (const line of result.broken) console.log(`  ${line}`)
  const more = [
    ...(chaosMs === undefined ? [] : [`--chaos ${chaosMs}`]),
    ...(values.calm ? ['--calm'] : []),
    ...(values.services ? ['--services'] : [])
  ]
  console.log(
    `BROKEN, again with: ${['npm run chaos -- --seed', init.seed, '--nodes', init.nodes, ...more].join(' ')}`
  )
}

/** Until there is nothing more to be run. */
async function work(): Promise<void> {
  let child: ChildProcess | undefined
  let done = 0
  for (let init = next(); init !== undefined; init = next()) {
    child ??= fork(new URL('./chaos-run.ts', import.meta.url))
    child.send(init)
    const ended = new AbortController()
    const message = once(child, 'message', { signal: ended.signal })
    const exit = once(child, 'exit', { signal: ended.signal })
    const [answer] = (await Promise.race([message, exit])) as [{ result?: SimulationResult; failed?: string }]
    ended.abort()
    await Promise.allSettled([message, exit])
    const failed = answer?.failed ?? `its process ended: ${String(answer)}`
    const broken: SimulationResult = {
      broken: [failed],
      digest: '',
      events: 0,
      virtualMs: 0,
      convergedMs: 0,
      faults: {},
      applies: 0
    }
    note(init, answer?.result ?? broken)
    if (++done % RUNS_PER_PROCESS !== 0 && answer?.result !== undefined) continue
    child.kill()
    child = undefined
  }
  child?.kill()
}

if (isTold) {
  const onLine = (line: string) => console.log(line)
  for (let init = next(); init !== undefined; init = next())
    note(init, await simulate({ ...init, onLine, onLog: values.log ? onLine : undefined }))
} else await Promise.all(Array.from({ length: jobs }, work))

const seconds = (performance.now() - startedAt) / 1000
const hours = (total.virtualMs / 3_600_000).toFixed(1)
console.log(
  `${total.runs} runs from seed ${seed} in ${seconds.toFixed(0)} s (${Math.round((total.runs / seconds) * 60)} a minute): ` +
    `${hours} virtual hours, ${total.events} events, ${total.applies} changes by owners, ${total.broken} broken`
)
console.log(
  `faults: ${Object.entries(faults)
    .sort()
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ')}`
)
converged.sort((a, b) => a - b)
const at = (share: number) => ((converged[Math.floor(converged.length * share)] ?? 0) / 1000).toFixed(1)
console.log(
  `right again after all was healed: p50 ${at(0.5)} s, p95 ${at(0.95)} s, p99 ${at(0.99)} s, at most ${at(1 - 1e-9)} s`
)
process.exitCode = total.broken > 0 ? 1 : 0

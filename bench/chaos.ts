/**
 * `npm run chaos -- [--minutes N | --runs N] [--seed S] [--nodes M]`: simulated meshes in which things go wrong, one after the other, each
 * from a seed of its own. A run in which something does not hold prints what, and the line that repeats it. Exits 1 when there was one.
 * `--chaos MS` sets for how long things go wrong, `--calm` lets nothing go wrong, `--services` leaves out Jobs, CronJobs and what is scaled; `--trace` prints what happened, `--log` also
 * what the nodes say.
 */
import { parseArgs } from 'node:util'
import { simulate } from '../test/simulation/simulate.ts'

/** Sizes that are tried in turn: small ones, where every node matters, and one where few nodes are keepers. */
const SIZES = [1, 2, 3, 4, 5, 7, 10, 30]

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    runs: { type: 'string' },
    seed: { type: 'string' },
    nodes: { type: 'string' },
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
const chaosMs = values.chaos === undefined ? undefined : Number(values.chaos)
const startedAt = performance.now()
const total = { runs: 0, broken: 0, events: 0, virtualMs: 0, applies: 0 }
const faults: Record<string, number> = {}

for (let index = 0; index < runs && performance.now() - startedAt < minutes * 60_000; index++) {
  const nodes = Number(values.nodes ?? SIZES[index % SIZES.length])
  const own = seed + index
  const onLine = values.trace || values.log ? (line: string) => console.log(line) : undefined
  const result = await simulate({
    seed: own,
    nodes,
    chaosMs,
    calm: values.calm,
    servicesOnly: values.services,
    onLine,
    onLog: values.log ? onLine : undefined
  })
  total.runs++
  total.events += result.events
  total.virtualMs += result.virtualMs
  total.applies += result.applies
  for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count
  if (result.broken.length === 0) continue
  total.broken++
  for (const line of result.broken) console.log(`  ${line}`)
  const more = `${chaosMs === undefined ? '' : ` --chaos ${chaosMs}`}${values.calm ? ' --calm' : ''}${values.services ? ' --services' : ''}`
  console.log(`BROKEN, again with: npm run chaos -- --seed ${own} --nodes ${nodes}${more}`)
}
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
process.exitCode = total.broken > 0 ? 1 : 0

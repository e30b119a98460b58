/**
 * `npm run bench:growth [ROUNDS] [SEED]`: how many messages an announcement and a lookup cost as the mesh grows.
 *
 *   real        30 and 100 nodes in this process on the memory transport, with libp2p and our providers as a node has them. Everything
 *               that any node sends about one manifest is counted, told apart by the manifest's digest (bench/growth/count.ts). Bound:
 *               from 30 to 100 nodes at most 1.5 times as many. ROUNDS announcements, four times as many lookups of each sort.
 *   simulated   30 to 1,000 nodes without a network: who knows whom after all have joined, whom a walk asks, whom gossip reaches
 *               (bench/growth/simulated-*.ts). A model, seeded with SEED; its first two sizes show how far it is from the real one.
 *
 * A message is a request, its answer, or one copy of a gossip message on one link. Writes docs/bench/growth.svg and growth.json.
 * Ends with 1 when the bound is missed. About seven minutes and 2 GB.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { toChart } from './growth/chart.ts'
import { measureReal } from './growth/real-rounds.ts'
import { simulate } from './growth/simulated-rounds.ts'
import { type Row, ratio, type Summary, shown, summarise, toTable } from './growth/summary.ts'

const REAL_SIZES = [30, 100]
const SIMULATED_SIZES = [30, 100, 200, 500, 1_000]
/** Announcements in each simulated mesh, and as many lookups of each sort. */
const SIMULATED_ROUNDS = 100
const BOUND = 1.5
const JUDGED = ['announce', 'lookupFirst', 'lookupAll'] as const satisfies readonly Row[]

const rounds = Number(process.argv[2] ?? 6)
const seed = Number(process.argv[3] ?? 1)
const folder = resolve(import.meta.dirname, '../docs/bench')

const simulated = SIMULATED_SIZES.map((size) => summarise(simulate(size, SIMULATED_ROUNDS, seed)))
const real: Summary[] = []
for (const size of REAL_SIZES) {
  const startedAt = performance.now()
  real.push(summarise(await measureReal(size, rounds)))
  console.log(`${size} real nodes measured in ${Math.round((performance.now() - startedAt) / 1_000)} s`)
}

console.log(`\nMedian / mean for each announcement or lookup; simulated with seed ${seed}\n`)
console.log(`${toTable(real, simulated, BOUND)}\n`)
const ratios = Object.fromEntries(JUDGED.map((row) => [row, ratio(real[0]!, real[1]!, row)!]))
for (const [row, grown] of Object.entries(ratios)) {
  const held = Math.max(grown.median, grown.mean) <= BOUND
  console.log(
    `${row}: from 30 to 100 nodes times ${shown(grown)} (bound ${BOUND}): ${held ? 'held' : 'MISSED'}`
  )
}
await mkdir(folder, { recursive: true })
await writeFile(join(folder, 'growth.svg'), toChart(real, simulated))
const figures = {
  date: new Date().toISOString().slice(0, 10),
  seed,
  rounds,
  bound: BOUND,
  ratios,
  real,
  simulated
}
await writeFile(join(folder, 'growth.json'), `${JSON.stringify(figures, null, 2)}\n`)
process.exit(Object.values(ratios).some(({ median, mean }) => Math.max(median, mean) > BOUND) ? 1 : 0)

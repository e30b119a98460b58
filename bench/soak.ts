/**
 * `npm run soak [MINUTES] [NODES] [SEED]`: node processes that join, crash, leave and come back at random for so long; at the end every
 * node's answer to "who runs this?" must be the truth, and memory must not have grown. Exit code 1 when it is not so.
 */
import { soak } from './soak-run.ts'

const minutes = Number(process.argv[2] ?? 5)
const nodes = Number(process.argv[3] ?? 20)
const seed = Number(process.argv[4] ?? Date.now() % 100_000)
/** Resident memory of a process that has warmed up; garbage collection alone makes a tenth of difference. Chosen. */
const MAX_GROWTH = 1.25

console.log(`soak: ${nodes} nodes, ${minutes} minutes, seed ${seed}`)
try {
  const say = (line: string) => console.log(`  ${line}`)
  const { actions, manifests, answers, settledMs, growth } = await soak({
    nodes,
    durationMs: minutes * 60_000,
    seed,
    say
  })
  const sorted = [...growth].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 1
  console.log(`actions ${JSON.stringify(actions)}; ${manifests} manifests at the end`)
  console.log(`${answers} answers, all the truth ${Math.round(settledMs)} ms after the last node was back`)
  console.log(
    `resident memory against half of the way: median ${median.toFixed(2)}, n=${growth.length} (bound ${MAX_GROWTH})`
  )
  process.exitCode = median > MAX_GROWTH ? 1 : 0
} catch (error) {
  console.error(`soak: seed ${seed} fails: ${String(error)}`)
  process.exitCode = 1
}

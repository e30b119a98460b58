/**
 * `npm run soak [MINUTES] [NODES] [SEED]`: node processes that join, crash, leave and come back at random for so long; at the end every
 * node's answer to "who runs this?" must be the truth, and memory must not have grown. Exit code 1 when it is not so.
 */
import type { HeldMemory } from './live-memory.ts'
import { soak } from './soak-run.ts'

const minutes = Number(process.argv[2] ?? 5)
const nodes = Number(process.argv[3] ?? 20)
const seed = Number(process.argv[4] ?? Date.now() % 100_000)
/** What a process holds after a full collection, at the end against half of the way. Chosen; readings of one that idles differ by a hundredth. */
const MAX_GROWTH = 1.25

console.log(`soak: ${nodes} nodes, ${minutes} minutes, seed ${seed}`)
try {
  const say = (line: string) => console.log(`  ${line}`)
  const result = await soak({ nodes, durationMs: minutes * 60_000, seed, say })
  const { actions, manifests, answers, settledMs, held } = result
  console.log(`actions ${JSON.stringify(actions)}; ${manifests} manifests at the end`)
  console.log(`${answers} answers, all the truth ${Math.round(settledMs)} ms after the last node was back`)
  const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(1)
  const row = ({ live, resident, file, heap, garbage }: HeldMemory) =>
    `held ${mib(live)}, resident ${mib(resident)} (${mib(file)} program, ${mib(heap)} heap of which ${mib(garbage)} garbage)`
  for (const { name, half, end } of held) console.log(`${name}, MiB: half ${row(half)}; end ${row(end)}`)
  const ratios = (of: 'live' | 'resident') =>
    held.map(({ half, end }) => end[of] / half[of]).sort((a, b) => a - b)
  const line = (sorted: number[]) =>
    `median ${median(sorted)?.toFixed(2)}, largest ${sorted.at(-1)?.toFixed(2)}`
  console.log(
    `end against half of the way, n=${held.length}: held ${line(ratios('live'))} (bound ${MAX_GROWTH}); resident ${line(ratios('resident'))}`
  )
  const largest = ratios('live').at(-1)
  if (largest === undefined) throw new Error('no process lived through it')
  process.exitCode = largest > MAX_GROWTH ? 1 : 0
} catch (error) {
  console.error(`soak: seed ${seed} fails: ${String(error)}`)
  process.exitCode = 1
}

function median(sorted: readonly number[]): number | undefined {
  return sorted[Math.floor(sorted.length / 2)]
}

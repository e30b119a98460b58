/**
 * `npm run bench:memory [CYCLES]`: what apply and delete leave behind. One node with the mock engine and its client, in one
 * process; memory after a tenth of the cycles against memory after all of them, garbage collected before each reading.
 */
import { parseManifests } from '../src/index.ts'
import { openStage, podYaml } from './stage.ts'

const cycles = Number(process.argv[2] ?? 500)
const first = Math.max(1, Math.floor(cycles / 10))
const MIB = 1024 * 1024

function reading(): { heap: number; rss: number } {
  for (let round = 0; round < 3; round++) globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed / MIB, rss: rss / MIB }
}

const stage = await openStage('mock')
try {
  let before = reading()
  for (let cycle = 1; cycle <= cycles; cycle++) {
    const name = `bench-${cycle % 20}`
    const [result] = await stage.client.apply(parseManifests(podYaml(name)))
    const error = result!.placements[0]?.error
    if (error !== undefined) throw new Error(`${error.code}: ${error.message}`)
    await stage.client.delete(name)
    if (cycle === first) before = reading()
  }
  const after = reading()
  for (const key of ['heap', 'rss'] as const)
    console.log(
      `${key} after ${cycles} apply-delete cycles: ${after[key].toFixed(1)} MiB against ${before[key].toFixed(1)} MiB after ${first}, ` +
        `ratio ${(after[key] / before[key]).toFixed(2)} (bound 1.10)`
    )
} finally {
  await stage.close()
}

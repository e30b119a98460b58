/**
 * `npm run fuzz [MUTANTS] [SEED] [TARGET…]`: changed messages, manifests and settings into every way in. What is refused must be refused with an
 * error of ours, in 50 ms, without a look outside of the message, and leave nothing in the heap. Exits 1 with findings.
 * `node bench/fuzz.ts --replay TARGET HEX` or `--replay TARGET SEED:INDEX` feeds one mutant again.
 */
import { toHex } from '../src/common/index.ts'
import { mutantOf } from './fuzz/mutant.ts'
import { type FuzzResult, feed, MAX_GROWTH_BYTES, runFuzz } from './fuzz/run.ts'
import { allTargets } from './fuzz/targets.ts'
import type { Target } from './fuzz/types.ts'
import { startWatchdog } from './fuzz/watchdog.ts'

const MIB = 1024 * 1024
const targets = await allTargets()
const args = process.argv.slice(2)
process.exit(args[0] === '--replay' ? await replay(args[1], args[2]) : await run(args))

async function run([mutants = '100000', seed = '1', ...names]: string[]): Promise<number> {
  const watchdog = startWatchdog(Number(seed))
  const startedAt = performance.now()
  const result = await runFuzz({
    targets: targets.filter(({ name }) => names.length === 0 || names.includes(name)),
    mutants: Number(mutants),
    seed: Number(seed),
    watch: watchdog.watch
  })
  await watchdog.end()
  print(result)
  const { found, growthBytes } = result
  const grown = growthBytes !== undefined && growthBytes > MAX_GROWTH_BYTES
  const growth =
    growthBytes === undefined
      ? 'not measured (--expose-gc)'
      : `${(growthBytes / MIB).toFixed(2)} MiB from a tenth of them to all (at most ${MAX_GROWTH_BYTES / MIB})`
  const seconds = (performance.now() - startedAt) / 1000
  console.log(
    `${mutants} mutants of seed ${seed} in ${seconds.toFixed(0)} s; heap growth ${growth}; ${found} findings`
  )
  if (grown) console.log('FINDING heap: it grew')
  return found > 0 || grown ? 1 : 0
}

function print({ counts, findings }: FuzzResult): void {
  for (const [name, { mutants, accepted, refused, slowestMs }] of counts) {
    const top = [...refused].sort(([, a], [, b]) => b - a).slice(0, 3)
    const codes = top.map(([code, count]) => `${code} ${count}`).join(', ')
    console.log(
      `${name.padEnd(32)} ${String(mutants).padStart(7)} mutants, ${String(accepted).padStart(6)} accepted, slowest ${slowestMs.toFixed(1).padStart(5)} ms; ${codes}`
    )
  }
  for (const { target, kind, seed, index, what, mutant } of findings)
    console.log(`FINDING ${kind} ${target} ${seed}:${index} ${JSON.stringify(what)} ${toHex(mutant)}`)
}

async function replay(name = '', given = ''): Promise<number> {
  const target = targets.find((one) => one.name === name)
  if (target === undefined) {
    console.error(`There is no target "${name}". There are: ${targets.map((one) => one.name).join(', ')}`)
    return 2
  }
  const mutant = bytesOf(target, given)
  const { code, tookMs, wrong } = await feed(target, mutant)
  console.log(`${mutant.byteLength} bytes: ${code ?? 'accepted'}, ${tookMs.toFixed(1)} ms`)
  if (target.form === 'text') console.log(JSON.stringify(new TextDecoder().decode(mutant).slice(0, 2000)))
  for (const { kind, what } of wrong) console.log(`FINDING ${kind}: ${what}`)
  return wrong.length > 0 ? 1 : 0
}

function bytesOf(target: Target, given: string): Uint8Array {
  const [seed, index] = given.split(':')
  return index === undefined
    ? new Uint8Array(Buffer.from(given, 'hex'))
    : mutantOf(target, Number(seed), Number(index))
}

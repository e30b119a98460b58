/**
 * `npm test`: every check of the project, all of them even when one fails.
 *
 *   npm test                      all
 *   npm test -- test/wire         only the specs below a folder (or one file)
 *
 * Ends with the plain line "N passed, N failed, N skipped"; lint, types, generated files and the vectors on Node.js 22 count as one each.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')
/** Specs that are better alone, after the others: a mesh of twenty, and three machines that do all there is. */
const ALONE = [
  'test/scenarios/fifty-commands-a-second.spec.ts',
  'test/scenarios/netns-three-machines.spec.ts'
]
/** Specs that want the one set of machines there can be, so one after the other, beside the others. */
const MACHINES = 'test/scenarios/{netns-*,two-machines-*}.spec.ts'
/** Specs that wait for most of their time, for leases, deadlines and the like, and take little from what runs beside them. */
const WAITING = [
  'test/audit/mesh.spec.ts',
  'test/client/apply/roll-out.spec.ts',
  'test/client/own-fetch.spec.ts',
  'test/members/liveness.spec.ts',
  'test/providers/mesh.spec.ts',
  'test/reach/relay-reservations.spec.ts',
  'test/runtime/guard/guard.spec.ts',
  'test/scenarios/copies-run-where-their-manifest-lets-them.spec.ts',
  'test/scenarios/keys-rotate-and-the-manifest-comes-back.spec.ts',
  'test/workloads/lifecycle.spec.ts',
  'test/workloads/preempt.spec.ts'
]
/** A check ends with it when the machine cannot do it, and says why. */
const SKIPPED = 77
const total = { passed: 0, failed: 0, skipped: 0 }

/** Own tools first on PATH, the engine's settings as set up, and nothing of a node the person may run. */
function environment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' }
  for (const name of Object.keys(env)) if (name.startsWith('BEEMESH_')) delete env[name]
  env.BEEMESH_TEST_DIST = '1' // the command as it is shipped, which setup.sh has just built; it starts in half the time
  env.PATH = [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  const settings = join(ROOT, '.setup/env')
  if (existsSync(settings))
    for (const line of readFileSync(settings, 'utf8').split('\n')) {
      const [name = '', value = ''] = line.split(/=(.*)/)
      if (name !== '' && value !== '') env[name] = value
    }
  return env
}

interface RunOptions {
  readonly onLine?: (line: string) => void
  /** Takes what it writes, to be shown later. @default shown at once */
  readonly onOutput?: (chunk: Buffer) => void
}

function run(
  command: string,
  args: readonly string[],
  { onLine, onOutput = (chunk) => process.stdout.write(chunk) }: RunOptions = {}
): Promise<number> {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let rest = ''
    child.stderr.on('data', onOutput)
    child.stdout.on('data', (chunk: Buffer) => {
      onOutput(chunk)
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop()!
      for (const line of lines) onLine?.(line)
    })
    child.once('error', () => done(127))
    child.once('close', (code) => done(code ?? 1))
  })
}

async function check(name: string, command: string, args: readonly string[]): Promise<void> {
  const startedAt = performance.now()
  const code = await run(command, args)
  if (code === 0) total.passed++
  else if (code === SKIPPED) total.skipped++
  else total.failed++
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const verdict = code === 0 ? 'ok' : code === SKIPPED ? 'SKIPPED' : 'FAILED'
  console.log(`${verdict}: ${name} (${seconds} s)\n`)
}

async function mocha(args: readonly string[], onOutput?: (chunk: Buffer) => void): Promise<void> {
  const own = { passed: 0, failed: 0, skipped: 0 }
  let counted = 0
  const onLine = (line: string) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: mocha paints its summary
    const match = /^\s+(\d+) (passing|failing|pending)/.exec(line.replace(/\u001b\[\d+m/g, ''))
    if (match === null) return
    const kind = { passing: 'passed', failing: 'failed', pending: 'skipped' }[match[2]!] as keyof typeof own
    own[kind] += Number(match[1])
    counted++
  }
  const code = await run('mocha', args, { onLine, onOutput })
  if (counted === 0 || (code !== 0 && own.failed === 0)) own.failed++ // because a run that broke down is no success
  for (const kind of ['passed', 'failed', 'skipped'] as const) total[kind] += own[kind]
}

const only = process.argv.slice(2)
const specs = only.map((path) => (statSync(path).isDirectory() ? `${path}/**/*.spec.ts` : path))
const startedAt = performance.now()
if (only.length === 0) {
  await Promise.all([
    check('lint and format (biome)', 'biome', ['check', '--error-on-warnings', '.']),
    check('types (tsc)', 'tsc', ['-p', 'tsconfig.json']),
    check('generated files are current (npm run gen)', 'node', ['scripts/gen.ts', '--check']),
    check('conformance vectors on Node.js 22', 'sh', ['scripts/test-node22.sh', '--vectors'])
  ])
}
if (specs.length > 0) await mocha(specs)
else {
  const written: Buffer[] = []
  const ignore = (specs: readonly string[]) => specs.flatMap((spec) => ['--ignore', spec])
  const beside = mocha([...ignore(ALONE), ...WAITING, MACHINES], (chunk) => void written.push(chunk))
  const others = ignore([...ALONE, ...WAITING, MACHINES])
  await mocha(['--parallel', '--jobs', '2', ...others, 'test/**/*.spec.ts'])
  await beside
  for (const chunk of written) process.stdout.write(chunk)
  await mocha(ALONE)
}
console.log(`${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed > 0 ? 1 : 0

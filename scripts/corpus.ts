/**
 * Reads every YAML file below a folder as `beemesh validate` would, and prints what became of them.
 *
 *   node scripts/corpus.ts FOLDER [--show RULE]     --show lists the files and messages of one rule or code
 *
 * Exits 1 when a file made anything but manifests or a ManifestError that says where and why, or took more than 500 ms.
 * Files without a `kind` at the start of a line are no Kubernetes objects and are left out. Keep such files out of the
 * repository: they are other people's.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import {
  canonicalBytes,
  ManifestError,
  parseCanonical,
  parseManifests,
  probesOf,
  toPod
} from '../src/manifest/index.ts'

const MAX_MS = 500
const SHOWN = 45
/** Rules about the text or the file as a whole, which has no field to name. */
const WITHOUT_PATH = new Set(['syntax', 'size', 'no-workload', 'expanded-size', 'type'])

const [folder, flag, shown] = process.argv.slice(2)
if (folder === undefined || (flag !== undefined && flag !== '--show')) {
  console.error('usage: node scripts/corpus.ts FOLDER [--show RULE]')
  process.exit(2)
}

const outcomes = new Map<string, number>()
const reasons = new Map<string, number>()
const accepted = new Map<string, number>()
const times: { readonly ms: number; readonly file: string }[] = []
const broken: string[] = []

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1)
}

/** What makes two refusals the same for a person: no indices, no names. */
function reasonOf({ path, rule, message }: ManifestError['violations'][number]): string {
  const field = path
    .replace(/^items\[\d+\]\.?/, '')
    .replace(/\[\d+\]/g, '[]')
    .replace(/^spec\.(?:jobTemplate\.spec\.)?template\.(?=spec|metadata)/, '')
    .replace(/\["[^"]*"\]/g, '[…]')
  const quoted = message.replace(/"[^"]*"|line \d+, column \d+|\d+/g, '…').slice(0, 110)
  return `${field === '' ? '-' : field} [${rule}] ${rule === 'unknown-field' || rule === 'refused' || rule === 'kind' || rule === 'syntax' ? quoted : ''}`
}

function read(text: string, file: string): void {
  try {
    const manifests = parseManifests(text, { file })
    count(outcomes, 'accepted')
    for (const manifest of manifests) {
      count(accepted, manifest.kind)
      probesOf(manifest)
      const received = parseCanonical(canonicalBytes(manifest, new Uint8Array(32))).manifest
      toPod(received, { workloadId: 'w', ordinal: 0, labels: {}, ports: [], claimPrefix: 'c', completion: 0 })
    }
  } catch (error) {
    if (!(error instanceof ManifestError)) {
      broken.push(`${file}: ${error instanceof Error ? error.stack : String(error)}`)
      count(outcomes, 'BROKEN')
      return
    }
    count(outcomes, error.code)
    if (shown === error.code) console.log(`${file}\n${error.message}\n`)
    for (const one of error.violations) {
      if (one.message === '' || (one.path === '' && !WITHOUT_PATH.has(one.rule)))
        broken.push(`${file}: a refusal without path or reason: ${JSON.stringify(one)}`)
      if (shown === one.rule) console.log(`${file}: ${one.path} ${one.value ?? ''} ${one.message}`)
    }
    for (const reason of new Set(error.violations.map(reasonOf))) count(reasons, reason)
  }
}

function print(title: string, map: Map<string, number>, limit = Number.POSITIVE_INFINITY): void {
  console.log(`\n${title}`)
  for (const [key, number] of [...map].sort((a, b) => b[1] - a[1]).slice(0, limit))
    console.log(`${String(number).padStart(7)}  ${key}`)
}

const startedAt = performance.now()
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(?:ya?ml|json)$/.test(entry.name)) continue
  const path = join(entry.parentPath, entry.name)
  const text = readFileSync(path, 'utf8')
  if (!/^ *"?kind"?:/m.test(text)) continue
  const start = performance.now()
  read(text, relative(folder, path))
  times.push({ ms: performance.now() - start, file: relative(folder, path) })
}
times.sort((a, b) => b.ms - a.ms)

console.log(`${times.length} files in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
print('Outcome (files)', outcomes)
print('Accepted (manifests)', accepted)
print(`Top reasons (files; one file may have several; ${reasons.size} in all)`, reasons, SHOWN)
console.log('\nSlowest')
for (const { ms, file } of times.slice(0, 5)) console.log(`${ms.toFixed(0).padStart(7)} ms  ${file}`)
const slow = times.filter(({ ms }) => ms > MAX_MS)
for (const problem of broken.slice(0, 20)) console.error(`\nBROKEN ${problem}`)
if (broken.length > 0 || slow.length > 0) process.exitCode = 1

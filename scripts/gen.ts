/**
 * Makes everything that is generated and committed.
 *
 *   npm run gen              write all
 *   npm run gen -- fbs       write one
 *   npm run gen -- --check   change nothing; exit 1 with a sentence per file that is not current
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { configDocsGenerator } from './gen/config-docs.ts'
import { fbsGenerator } from './gen/fbs.ts'
import { findStale, makeStamp, staleFiles, stampPath } from './gen/stamp.ts'
import type { Generator } from './gen/types.ts'

const ROOT = dirname(import.meta.dirname)

/** Add a generator here; it needs nothing else. Those that use what another one writes are loaded when it is their turn. */
const GENERATORS: Readonly<Record<string, () => Generator | Promise<Generator>>> = {
  fbs: () => fbsGenerator(ROOT),
  vectors: async () => (await import('./gen/vectors.ts')).vectorsGenerator(ROOT),
  config: () => configDocsGenerator(ROOT),
  manifests: async () => (await import('./gen/manifest-docs.ts')).manifestDocsGenerator(ROOT)
}

function check(generator: Generator): number {
  const generated = generator.generate()
  const problems = findStale(ROOT, generator, generated)
  if (generated.note !== undefined) console.log(`${generator.name}: ${generated.note}`)
  for (const problem of problems)
    console.error(`${generator.name}: ${problem}; run \`npm run gen\` and commit the result`)
  if (problems.length === 0) console.log(`${generator.name}: ${generated.files.size} files are current`)
  return problems.length
}

function write(generator: Generator): void {
  const generated = generator.generate()
  for (const path of staleFiles(ROOT, generator, generated)) rmSync(join(ROOT, path))
  for (const [path, content] of generated.files) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), content)
  }
  writeFileSync(join(ROOT, stampPath(generator)), makeStamp(ROOT, generator, generated))
  if (generated.note !== undefined) console.log(`${generator.name}: ${generated.note}`)
  console.log(`${generator.name}: wrote ${generated.files.size} files`)
}

const args = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('--'))
const unknown = [
  ...args.filter((arg) => arg.startsWith('--') && arg !== '--check'),
  ...names.filter((name) => GENERATORS[name] === undefined)
]
if (unknown.length > 0) {
  console.error(
    `gen: unknown ${unknown.join(', ')}; use --check and the names ${Object.keys(GENERATORS).join(', ')}`
  )
  process.exitCode = 2
} else {
  let problems = 0
  for (const [name, load] of Object.entries(GENERATORS)) {
    if (names.length > 0 && !names.includes(name)) continue
    const generator = await load()
    if (args.includes('--check')) problems += check(generator)
    else write(generator)
  }
  if (problems > 0) process.exitCode = 1
}

/** A committed record of what generated files were made from, so that "current" can be checked without the tools. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Generated, Generator } from './types.ts'

/** Where a generator's stamp lies. */
export function stampPath(generator: Generator): string {
  return `src/generated/${generator.name}.stamp.json`
}

/** The stamp's content: sha256 of every input, and of every output as it is (or will be) on disk. */
export function makeStamp(root: string, generator: Generator, generated: Generated): string {
  const inputs = Object.fromEntries(generator.inputs().map((path) => [path, hash(read(root, path) ?? '')]))
  const outputs = new Map<string, string>()
  for (const [path, content] of generated.files) outputs.set(path, hash(content))
  for (const path of generated.kept) outputs.set(path, hash(read(root, path) ?? ''))
  const sorted = Object.fromEntries([...outputs].sort(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ inputs, outputs: sorted }, undefined, 2)}\n`
}

/** Sentences about what is not current; none when all is. */
export function findStale(root: string, generator: Generator, generated: Generated): string[] {
  const problems: string[] = []
  for (const [path, content] of generated.files) {
    const found = read(root, path)
    if (found === undefined) problems.push(`${path} is missing`)
    else if (found !== content) problems.push(`${path} is not what the generator makes`)
  }
  for (const path of staleFiles(root, generator, generated)) problems.push(`${path} is no longer generated`)
  const stamp = read(root, stampPath(generator))
  if (stamp !== makeStamp(root, generator, generated))
    problems.push(
      `${stampPath(generator)} does not match its inputs and outputs: ${stampDifference(stamp, makeStamp(root, generator, generated))}`
    )
  return problems
}

/** Files in the owned folders that this run did not make. */
export function staleFiles(root: string, generator: Generator, generated: Generated): string[] {
  return generator.ownedFolders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath.slice(root.length + 1)}/${entry.name}`.replaceAll('//', '/'))
    )
    .filter((path) => !generated.files.has(path) && !generated.kept.includes(path))
}

function stampDifference(found: string | undefined, wanted: string): string {
  if (found === undefined) return 'it is missing'
  const lines = new Set(found.split('\n').map((line) => line.replace(/,$/, '')))
  const first = wanted.split('\n').find((line) => !lines.has(line.replace(/,$/, '')))
  return first === undefined
    ? 'it names files that are gone'
    : `see ${first.trim().split('"')[1] ?? first.trim()}`
}

function read(root: string, path: string): string | undefined {
  const full = join(root, path)
  return existsSync(full) ? readFileSync(full, 'utf8') : undefined
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

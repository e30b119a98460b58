import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { expect } from 'chai'

/** The house as data: a folder imports only from lower floors, or from the left on its own floor. */
const FLOORS: readonly (readonly string[])[] = [
  ['generated', 'common'],
  ['identity', 'envelope', 'trust', 'sealing', 'manifest', 'store'],
  ['wire', 'runtime', 'audit'],
  ['guests', 'members', 'reach', 'providers', 'workloads'],
  ['scheduler'],
  ['client', 'gateway', 'apps'],
  ['api', 'telemetry'],
  ['config', 'node'],
  ['cli']
]

const MAX_LINES = 400
const MAX_FILES_IN_FOLDER = 12
const src = resolve(import.meta.dirname, '../src')

function sourceFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((entry) => {
    const path = join(folder, entry)
    return statSync(path).isDirectory() ? sourceFiles(path) : path.endsWith('.ts') ? [path] : []
  })
}

function position(folder: string): { floor: number; place: number } | undefined {
  const floor = FLOORS.findIndex((folders) => folders.includes(folder))
  return floor < 0 ? undefined : { floor, place: FLOORS[floor]!.indexOf(folder) }
}

function folderOf(file: string): string {
  return relative(src, file).split(sep)[0]!
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/(?:from\s+|import\s*\(\s*|^import\s+)'(\.[^']+)'/gm)].map((match) => match[1]!)
}

describe('architecture', () => {
  const files = sourceFiles(src)

  it('every folder of src has a place on a floor', () => {
    const unknown = readdirSync(src)
      .filter((entry) => statSync(join(src, entry)).isDirectory())
      .filter((folder) => position(folder) === undefined)
    expect(unknown, `give ${unknown.join(', ')} a place in FLOORS (test/architecture.spec.ts)`).to.deep.equal(
      []
    )
  })

  it('imports go down, or to the left on the same floor, and through the index of the other folder', () => {
    const wrong: string[] = []
    for (const file of files) {
      const from = folderOf(file)
      const fromPlace = position(from)
      if (fromPlace === undefined) continue
      for (const specifier of importsOf(file)) {
        const target = resolve(dirname(file), specifier)
        const to = folderOf(target)
        if (to === from || !target.startsWith(src)) continue
        const toPlace = position(to)
        const where = `${relative(src, file)} imports ${relative(src, target)}`
        if (toPlace === undefined) wrong.push(`${where}, which stands on no floor`)
        else if (
          toPlace.floor > fromPlace.floor ||
          (toPlace.floor === fromPlace.floor && toPlace.place > fromPlace.place)
        )
          wrong.push(
            `${where}: ${to} (floor ${toPlace.floor}) is not below ${from} (floor ${fromPlace.floor}). ` +
              `Move the code to ${from}, or hand a function or an event up.`
          )
        else if (to !== 'generated' && relative(join(src, to), target) !== 'index.ts')
          wrong.push(`${where}: reach into another folder through its index.ts`)
      }
    }
    expect(wrong, `\n${wrong.join('\n')}\n`).to.deep.equal([])
  })

  it('no source file passes the size we can read in one go', () => {
    const large = files
      .filter((file) => folderOf(file) !== 'generated')
      .map((file) => ({ file: relative(src, file), lines: readFileSync(file, 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > MAX_LINES)
    expect(large, 'split these').to.deep.equal([])
  })

  it('no folder holds more files than one can keep in mind', () => {
    const counts = new Map<string, number>()
    for (const file of files)
      if (folderOf(file) !== 'generated') counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
    const crowded = [...counts].filter(([, count]) => count > MAX_FILES_IN_FOLDER + 1)
    expect(crowded, 'give these a subfolder by verb').to.deep.equal([])
  })

  it('every folder says in its index what it is', () => {
    const silent = readdirSync(src)
      .filter((folder) => statSync(join(src, folder)).isDirectory() && !['generated', 'cli'].includes(folder))
      .filter((folder) => !readFileSync(join(src, folder, 'index.ts'), 'utf8').startsWith('/**'))
    expect(silent).to.deep.equal([])
  })

  it('no bare Error is thrown', () => {
    const bare = files.filter(
      (file) => folderOf(file) !== 'generated' && /new (Type|Range)?Error\(/.test(readFileSync(file, 'utf8'))
    )
    expect(bare.map((file) => relative(src, file))).to.deep.equal([])
  })

  it("Node's own AbortSignal.timeout limits no more than one read, because combined twice it is never let go", () => {
    const wrong = files
      .filter((file) => !file.endsWith(join('common', 'abort.ts')))
      .flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .map((line) => ({ file: relative(src, file), line }))
      )
      .filter(({ line }) => /^(?!\s*\*).*AbortSignal\.timeout\(/.test(line))
      .filter(({ line }) => !line.includes('.read({ signal: AbortSignal.timeout('))
    expect(wrong, 'take timeoutSignal or withDeadline of src/common').to.deep.equal([])
  })
})

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { EXIT, EXIT_OF_CODE, exitCodeOf, exitCodeOfFailures } from '../src/cli/exit-codes.ts'
import { ClientError } from '../src/client/index.ts'

const SRC = join(import.meta.dirname, '../src')

interface Listed {
  readonly folder: string
  readonly list: string
  readonly codes: readonly string[]
}

/** Every `*_ERROR_CODES` of every folder. */
async function listedCodes(): Promise<Listed[]> {
  const folders = readdirSync(SRC).filter((folder) => existsSync(join(SRC, folder, 'errors.ts')))
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const module = (await import(pathToFileURL(join(SRC, folder, 'errors.ts')).href)) as Record<
        string,
        unknown
      >
      return Object.entries(module)
        .filter(([name]) => name.endsWith('_ERROR_CODES'))
        .map(([list, codes]) => ({ folder, list, codes: codes as readonly string[] }))
    })
  )
  return lists.flat()
}

describe('error codes', () => {
  let lists: Listed[]
  before(async () => {
    lists = await listedCodes()
  })

  it('every folder with errors lists its codes once', () => {
    const folders = readdirSync(SRC).filter((folder) => existsSync(join(SRC, folder, 'errors.ts')))
    const withErrors = folders.filter((folder) => folder !== 'common') // the base class has no codes of its own
    expect(lists.map(({ folder }) => folder)).to.deep.equal(withErrors)
    expect(lists.length).to.be.greaterThan(10)
  })

  it('a code belongs to one folder, stands there once, and is written in capitals', () => {
    const owners = new Map<string, string[]>()
    for (const { folder, codes } of lists)
      for (const code of codes) owners.set(code, [...(owners.get(code) ?? []), folder])
    const shared = [...owners].filter(([, folders]) => folders.length > 1)
    expect(shared, 'codes with more than one owner').to.deep.equal([])
    for (const code of owners.keys()) expect(code).to.match(/^[A-Z][A-Z0-9_]{1,63}$/)
  })

  it('every code that has an exit code of its own exists', () => {
    const known = new Set(lists.flatMap(({ codes }) => codes))
    expect(Object.keys(EXIT_OF_CODE).filter((code) => !known.has(code))).to.deep.equal([])
  })

  it('every code of a manifest that a person wrote exits 2', () => {
    const [manifest] = lists.filter(({ folder }) => folder === 'manifest')
    const machines = ['MANIFEST_NOT_CANONICAL', 'MANIFEST_ARGUMENT'] // of peers and of callers, not of people
    for (const code of manifest!.codes.filter((one) => !machines.includes(one)))
      expect(EXIT_OF_CODE[code], code).to.equal(EXIT.usage)
  })
})

describe('cli: exit codes of errors', () => {
  it('follows the table, and is 1 for everything else', () => {
    expect(exitCodeOf(new ClientError('REF_NOT_FOUND', 'x'))).to.equal(4)
    expect(exitCodeOf(new Error('x'))).to.equal(1)
    expect(exitCodeOf(new DOMException('x', 'TimeoutError'))).to.equal(5)
  })

  it('of an apply is 0 without failures, the shared reason when all copies have one, else 1', () => {
    expect(exitCodeOfFailures([]), 'an apply of zero copies').to.equal(0)
    expect(exitCodeOfFailures([undefined, undefined])).to.equal(0)
    expect(exitCodeOfFailures(['NOT_AUTHORISED', 'NOT_AUTHORISED'])).to.equal(3)
    expect(exitCodeOfFailures(['NODE_UNREACHABLE'])).to.equal(6)
    expect(exitCodeOfFailures(['TIMED_OUT', 'NODE_UNREACHABLE'])).to.equal(1)
    expect(exitCodeOfFailures([undefined, 'NOT_AUTHORISED'])).to.equal(1)
    expect(exitCodeOfFailures(['IMAGE_NOT_FOUND'])).to.equal(1)
  })
})

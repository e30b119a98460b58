import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { type ReadLogFileOptions, readLogFile } from '../../src/runtime/podman/logs/read-log-file.ts'

const TIME = '2026-11-20T23:52:30.144974461+00:00'

describe('reading a log file', () => {
  let directory: string
  let path: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bmt-log-'))
    path = join(directory, 'ctr.log')
  })
  afterEach(() => rm(directory, { recursive: true }))

  const read = async (options: Partial<ReadLogFileOptions> = {}) => {
    const lines: string[] = []
    for await (const { line } of readLogFile(path, { container: 'a', ...options })) lines.push(line)
    return lines
  }

  it('finds the last lines, however long they are and wherever they begin', async () => {
    const length = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 60_000, max: 70_000 }))
    await fc.assert(
      fc.asyncProperty(fc.array(length, { maxLength: 8 }), fc.nat(10), async (lengths, tail) => {
        const texts = lengths.map((size, index) => String(index).padEnd(size, 'x'))
        await writeFile(path, texts.map((text) => `${TIME} stdout F ${text}\n`).join(''))
        expect(await read({ tail })).to.deep.equal(tail === 0 ? [] : texts.slice(-tail))
      }),
      { seed: 1, numRuns: 60 }
    )
  })

  it('joins the pieces of a line, each stream for itself', async () => {
    const records = ['stdout P one ', 'stderr F loud', 'stdout P and ', 'stdout F two', 'stdout F three']
    await writeFile(path, records.map((record) => `${TIME} ${record}\n`).join(''))
    expect(await read()).to.deep.equal(['loud', 'one and two', 'three'])
    expect(await read({ tail: 1 })).to.deep.equal(['three'])
  })

  it('gives last words without a newline, and counts them as a line', async () => {
    const records = ['stdout F one', 'stdout F two', 'stdout P thr', 'stdout P ee']
    await writeFile(path, records.map((record) => `${TIME} ${record}\n`).join(''))
    expect(await read()).to.deep.equal(['one', 'two', 'three'])
    expect(await read({ tail: 2 })).to.deep.equal(['two', 'three'])
    expect(await read({ tail: 0 })).to.deep.equal([])
  })

  it('passes over what is torn, and has nothing to say of a file that is not there', async () => {
    expect(await read()).to.deep.equal([])
    await writeFile(path, `garbage\n${TIME} stdout F good\n${TIME} stdout F unfinis`)
    expect(await read()).to.deep.equal(['good'])
  })

  it('follows into the file that takes the place of this one, and reads what came last', async () => {
    await writeFile(path, `${TIME} stdout F one\n`)
    const seen: string[] = []
    let growing = true
    for await (const { line } of readLogFile(path, { container: 'a', isGrowing: async () => growing })) {
      seen.push(line)
      if (line === 'one') {
        await appendFile(path, `${TIME} stdout F two\n`)
        await writeFile(`${path}.new`, `${TIME} stdout F three\n`)
        await rename(`${path}.new`, path)
      }
      if (line === 'three') growing = false
    }
    expect(seen).to.deep.equal(['one', 'two', 'three'])
  })
})

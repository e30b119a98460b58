import { expect } from 'chai'
import { mutantOf } from '../../bench/fuzz/mutant.ts'
import { feed, runFuzz } from '../../bench/fuzz/run.ts'
import { ROOTS } from '../../bench/fuzz/sample.ts'
import { allTargets } from '../../bench/fuzz/targets.ts'
import type { Target } from '../../bench/fuzz/types.ts'
import { SIGNED_KINDS } from '../../src/generated/fbs/index.ts'
import { WireError } from '../../src/wire/index.ts'
import { bytesOf } from '../envelope/fixtures.ts'

const SEED = 20_261_121
const MUTANTS = 10_000

function target(act: (bytes: Uint8Array) => unknown): Target {
  return { name: 'planted', form: 'bytes', maxBytes: 1024, seeds: [bytesOf('planted', 64)], feed: act }
}

async function kinds(act: (bytes: Uint8Array) => unknown): Promise<string[]> {
  const { wrong } = await feed(target(act), bytesOf('planted', 64))
  return wrong.map(({ kind }) => kind)
}

describe('fuzz: every way in', function () {
  this.timeout(60_000)

  it('refuses or takes 10,000 mutants: none crashes, none is slow, nothing comes from outside of the message', async () => {
    const { findings, counts } = await runFuzz({ targets: await allTargets(), mutants: MUTANTS, seed: SEED })

    const told = findings.map(({ target, kind, what, index }) => `${kind} ${target} ${SEED}:${index} ${what}`)
    expect(told, 'node bench/fuzz.ts --replay TARGET SEED:INDEX').to.deep.equal([])
    for (const [name, { mutants }] of counts) expect(mutants, name).to.be.greaterThan(0)
    const sum = (of: (count: { accepted: number; mutants: number }) => number) =>
      [...counts.values()].reduce((all, one) => all + of(one), 0)
    expect(sum(({ accepted }) => accepted) / sum(({ mutants }) => mutants)).to.be.within(0.05, 0.5)
  })

  it('has a target for every root of every schema, and takes what their encoders make', async () => {
    const targets = await allTargets()
    expect(ROOTS.length).to.be.greaterThan(20)
    for (const { name } of ROOTS) {
      const found = targets.find((one) => one.name === `root-${name}`)!
      for (const seed of found.seeds) expect((await feed(found, seed)).code, name).to.equal(undefined)
    }
  })

  it('has a target for every kind of signed object, well signed', async () => {
    const names = (await allTargets()).map(({ name }) => name)
    for (const kind of SIGNED_KINDS.slice(1)) {
      const target = { bid: 'bid', done: 'fact' }[kind as string] ?? `object-${kind}`
      expect(names).to.include(`${target}-well-signed`)
    }
  })

  it('makes the same mutants of the same seed, and others of another', async () => {
    const [one] = await allTargets()
    const hex = (seed: number) =>
      Array.from({ length: 20 }, (_, index) =>
        Buffer.from(mutantOf(one!, seed, index)).toString('hex')
      ).join()
    expect(hex(1)).to.equal(hex(1))
    expect(hex(1)).not.to.equal(hex(2))
  })

  it('sees a crash, and no crash in a refusal of ours', async () => {
    expect(await kinds((bytes) => (bytes as unknown as { no: string }).no.length)).to.deep.equal(['crash'])
    expect(await kinds(() => Promise.reject(new RangeError('late')))).to.deep.equal(['crash'])
    expect(await kinds(() => Promise.reject(new WireError('BUSY', 'x')))).to.deep.equal([])
  })

  it('sees bytes and text from outside of the message, also in what was refused', async () => {
    const beyond = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
      new Uint8Array(buffer, byteOffset, byteLength + 100)
    expect(await kinds((bytes) => ({ deep: [beyond(bytes)] }))).to.deep.equal(['outside'])
    expect(await kinds((bytes) => beyond(bytes).slice())).to.deep.equal(['outside'])
    expect(await kinds((bytes) => Buffer.from(beyond(bytes)).toString('latin1'))).to.deep.equal(['outside'])
    const quote = (bytes: Uint8Array) => {
      throw new WireError('BUSY', Buffer.from(beyond(bytes)).toString('latin1'))
    }
    expect(await kinds(quote)).to.deep.equal(['outside'])
    expect(await kinds((bytes) => bytes.subarray(3))).to.deep.equal([])
  })

  it('sees what is slow every time, and forgives what was slow once', async () => {
    const wait = (ms: number) => {
      const before = process.cpuUsage()
      while (process.cpuUsage(before).user + process.cpuUsage(before).system < ms * 1000);
    }
    let calls = 0
    expect(await kinds(() => wait(60))).to.deep.equal(['slow'])
    expect(await kinds(() => calls++ === 0 && wait(60))).to.deep.equal([])
  })
})

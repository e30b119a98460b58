import { expect } from 'chai'
import type { CheckedRecord } from '../../src/scheduler/types.ts'
import type { StoredManifest } from '../../src/workloads/index.ts'
import { deployment } from '../fixtures/workload-files.ts'
import { LoneMachine } from './lone-machine.ts'

const web = (version: number, replicas: number) =>
  deployment({ name: 'web', replicas, command: [`v${version}`] })

describe('workloads: after a power cut', () => {
  let machine: LoneMachine
  afterEach(() => machine.cutPower())

  /** A machine that loses power while it starts the first copy of the second version. @returns that version */
  async function cutInRollout(replicas: number) {
    machine = new LoneMachine()
    await machine.start()
    const ordinals = Array.from({ length: replicas }, (_, ordinal) => ordinal)
    const first = await machine.seal(web(1, replicas), 1)
    await first.assign(ordinals)
    const second = await machine.seal(web(2, replicas), 2)
    const begun = Promise.withResolvers<void>()
    machine.engine.onDeploy = () => {
      begun.resolve()
      return new Promise(() => {})
    }
    second.assign(ordinals).catch(() => {})
    await begun.promise
    await machine.cutPower()
    return second.record
  }

  /** @returns what was asked for, and is started */
  async function startAgain(record: CheckedRecord, may: readonly number[]) {
    const asked: unknown[] = []
    const mayResume = async ({ version, workloads }: StoredManifest) => {
      asked.push([version, workloads.map(({ ordinal }) => ordinal)])
      return may
    }
    await machine.start({ mayResume })
    await machine.settled(record)
    return asked
  }

  // found by npm run chaos: it went on without asking anybody, and the copy ran twice
  it('a rollout that was under way does not go on when another node has the copy by now', async () => {
    const record = await cutInRollout(1)
    const asked = await startAgain(record, [])
    expect(asked).to.deep.equal([[record.version, [0]]])
    expect(await machine.running()).to.deep.equal([])
    expect(machine.workloads.list()).to.deep.equal([])
    expect(machine.workloads.get(record.manifestId)?.handedOver).to.equal(true)
  })

  // found by npm run chaos: it went on for all copies when it might for some
  it('it goes on for the copies that no other node was given, and for no others', async () => {
    const record = await cutInRollout(2)
    await startAgain(record, [1])
    expect(await machine.running()).to.deep.equal(['2/1'])
    const [held] = machine.workloads.list()
    expect([held!.version, held!.workloads.map(({ ordinal }) => ordinal)]).to.deep.equal([
      record.version,
      [1]
    ])
  })

  // found by npm run chaos: it was started again, and ran beside the number that its owner had asked for
  it('a copy that was to go, because there are to be fewer, is not started again', async () => {
    // given
    machine = new LoneMachine()
    let isCut = false
    const onFaultPoint = (point: string) => {
      if (point !== 'number:stored') return
      isCut = true
      throw new Error('power is gone')
    }
    await machine.start({ onFaultPoint })
    const two = await machine.seal(web(1, 2), 1)
    await two.assign([0, 1])
    const one = await machine.seal(web(1, 1), 2)

    // when
    await one.assign([0]).catch(() => {})
    await machine.cutPower()
    await startAgain(one.record, [0, 1])

    // then
    expect(isCut).to.equal(true)
    expect(await machine.running()).to.deep.equal(['2/0'])
    expect(machine.workloads.list()[0]!.workloads.map(({ ordinal }) => ordinal)).to.deep.equal([0])
  })
})

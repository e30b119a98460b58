import { expect } from 'chai'
import { deployment } from '../fixtures/workload-files.ts'
import { LoneMachine } from './lone-machine.ts'

const job = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'sum' },
  spec: {
    completions: 2,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'localhost/task:1' }] } }
  }
}

describe('workloads: while the disk is full', () => {
  let machine: LoneMachine
  beforeEach(async () => {
    machine = new LoneMachine()
    await machine.start()
  })
  afterEach(() => machine.cutPower())

  // found by npm run chaos: what was to come next was known to the node alone, and started by nobody
  it('a Job whose pod ends goes on when there is room, and does nothing twice', async () => {
    // given
    const { record, assign } = await machine.seal(job, 1)
    await assign([0])
    const copy = () => machine.workloads.list()[0]!.workloads[0]!
    const first = copy().workloadId

    // when
    machine.isFull = true
    machine.engine.exitContainer(first, 'main', 0)
    await machine.refused
    await machine.settled(record)
    const next = machine.event(({ type, workloadId }) => type === 'started' && workloadId !== first)
    machine.isFull = false
    const { workloadId } = await next
    const over = machine.event(({ reason }) => reason === 'completed')
    machine.engine.exitContainer(workloadId, 'main', 0)
    await over

    // then
    expect(copy().job).to.deep.equal({ completion: 1, done: [0, 1], failures: 0 })
    const starts = machine.workloads.recentEvents().filter(({ type }) => type === 'started')
    expect(starts.map((one) => one.workloadId)).to.deep.equal([first, workloadId])
  })

  // found by npm run chaos: a keeper that brought it again heard that it was here, and nothing ran
  it('a copy that was not taken is started when it is brought again', async () => {
    // given
    const { assign } = await machine.seal(deployment({ name: 'web', replicas: 2 }), 1)
    await assign([0])

    // when
    machine.isFull = true
    const refused = await assign([1]).catch((error: Error) => error.message)
    const meanwhile = await machine.running()
    machine.isFull = false
    await assign([1])

    // then
    expect([refused, meanwhile]).to.deep.equal(['no space left on device', ['1/0']])
    expect(await machine.running()).to.deep.equal(['1/0', '1/1'])
  })
})

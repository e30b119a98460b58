import { expect } from 'chai'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { until } from '../fixtures/until.ts'

/** Detection, a look, bids and a start on a machine that is busy with other tests. */
const HEALED_WITHIN_MS = 25_000

const task = (seconds: number) => ({
  spec: {
    restartPolicy: 'Never',
    containers: [{ name: 'main', image: 'localhost/task:1', command: ['pretend-work', String(seconds)] }]
  }
})
const job = (name: string, seconds: number, completions = 1) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: { completions, template: task(seconds) }
})

describe('scenario: machines die that run Jobs', () => {
  let mesh: ProcessMesh
  beforeEach(async function () {
    this.timeout(60_000)
    mesh = await createProcessMesh({ nodes: ['n0', 'n1', 'n2', 'n3', 'n4'] })
  })
  afterEach(() => mesh?.close())

  const named = (name: string) => mesh.nodes.find(({ init }) => init.name === name)!
  const copies = async (ref: string) => {
    const client = await mesh.client()
    const { placements } = await client.status(ref, { signal: AbortSignal.timeout(8_000) })
    return placements
  }
  /** Until a copy on a node other than these is in one of the states. */
  const copyIn = (
    ref: string,
    states: readonly string[],
    not: readonly string[] = [],
    deadlineMs = HEALED_WITHIN_MS
  ) =>
    until(
      `until a copy of ${ref} is ${states.join(' or ')}`,
      async () =>
        (await copies(ref).catch(() => [])).find(
          ({ node, state }) => states.includes(state) && !not.includes(node)
        ),
      { deadlineMs }
    )

  it('what is done is not run again', async function () {
    this.timeout(90_000)
    // given
    await mesh.given([job('sum', 1)], ['n1'])
    await copyIn('sum', ['stopped'])
    await new Promise((resolve) => setTimeout(resolve, 3_000)) // keepers are told at the next look
    // when
    await named('n1').kill9()
    await until(
      'until n1 is dead',
      async () => {
        const nodes = await (await mesh.client()).nodes({ signal: AbortSignal.timeout(5_000) })
        return nodes.some(({ name, state }) => name === 'n1' && state === 'dead') ? true : undefined
      },
      { deadlineMs: HEALED_WITHIN_MS }
    )
    // then: a few looks of all keepers, the last of which waits longest
    const watched = Date.now() + 12_000
    while (Date.now() < watched) {
      expect((await copies('sum').catch(() => [])).filter(({ node }) => node !== 'n1')).to.deep.equal([])
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  })

  it('what is not done is finished elsewhere, and what was done of it is not done again', async function () {
    this.timeout(90_000)
    // given: the second of two completions is being worked on
    await mesh.given([job('long', 5, 2)], ['n1'])
    const first = await copyIn('long', ['running'])
    await until(
      'until it works on the second',
      async () => {
        const [copy] = await copies('long')
        return copy?.state === 'running' && copy.workloadId !== first.workloadId ? true : undefined
      },
      { deadlineMs: HEALED_WITHIN_MS }
    )
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    // when
    await named('n1').kill9()
    // then
    const again = await copyIn('long', ['running', 'stopped'], ['n1'])
    const done = await copyIn('long', ['stopped'], ['n1'])
    expect(done.workloadId, 'one completion was left').to.equal(again.workloadId)
  })

  it('a CronJob goes on elsewhere', async function () {
    this.timeout(180_000)
    // given
    await mesh.given(
      [
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          metadata: { name: 'tick' },
          spec: { schedule: '* * * * *', jobTemplate: { spec: { template: task(1) } } }
        }
      ],
      ['n1']
    )
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    // when
    await named('n1').kill9()
    // then
    await copyIn('tick', ['running', 'stopped'], ['n1'], 120_000)
  })
})

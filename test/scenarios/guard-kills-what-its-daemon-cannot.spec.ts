import { expect } from 'chai'
import { bootClockMs, startTicks } from '../../src/runtime/index.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { podman, requirePodman } from '../fixtures/podman.ts'
import { until } from '../fixtures/until.ts'
import { deployment } from '../fixtures/workload-files.ts'

/** A lease, and what the guard may take. */
const DEAD_WITHIN_MS = 12_000

describe('scenario: real containers whose daemon cannot stop them', function () {
  this.timeout(90_000)
  let mesh: ProcessMesh
  before(function () {
    return requirePodman(this)
  })
  beforeEach(async () => {
    mesh = await createProcessMesh({ nodes: ['solo'], engine: 'podman' })
  })
  afterEach(() => mesh?.close())

  /** First processes of the containers of the only workload. */
  const processes = async (): Promise<{ pid: number; started: number }[]> => {
    const label = `label=beemesh.io/node=${mesh.nodes[0]!.peerId}`
    const pod = await podman('pod', 'ps', '-q', '--filter', label)
    const found = JSON.parse(await podman('ps', '--format', 'json', '--filter', `pod=${pod}`)) as {
      Pid: number
    }[]
    return found.map(({ Pid: pid }) => ({ pid, started: startTicks(pid)! }))
  }
  const given = (name: string) =>
    mesh.given([
      deployment({ name, command: ['sleep', '3600'], annotations: { 'beemesh.io/on-partition': 'fence' } })
    ])

  for (const fate of ['SIGKILL', 'SIGSTOP'] as const)
    it(`${fate}: they are dead within a lease and 2 s, and run again when the daemon does`, async () => {
      // given
      const [node] = mesh.nodes
      await given('web')
      const before = await processes()
      expect(before).to.not.be.empty
      const isAlive = () => before.some(({ pid, started }) => startTicks(pid) === started)
      // when
      const fromMs = bootClockMs()
      if (fate === 'SIGKILL') await node!.kill9()
      else node!.suspend()
      await until('until nothing of it lives', () => (isAlive() ? undefined : true), { deadlineMs: 20_000 })
      const tookMs = bootClockMs() - fromMs
      // then
      expect(tookMs).to.be.below(DEAD_WITHIN_MS)
      // when
      if (fate === 'SIGKILL') await node!.start()
      else node!.resume()
      // then
      const after = await until(
        'until it runs again',
        async () => {
          const now = (await processes()).filter(({ pid }) => pid > 0)
          return now.length >= before.length && !isAlive() ? now : undefined
        },
        { deadlineMs: 45_000 }
      )
      expect(after.map(({ pid }) => pid)).to.not.include.members(before.map(({ pid }) => pid))
    })

  it('they live on when the daemon is back before their lease is over', async () => {
    // given
    const [node] = mesh.nodes
    await given('web')
    const before = await processes()
    // when
    await node!.kill9()
    const overMs = bootClockMs() + DEAD_WITHIN_MS
    await node!.start()
    // then
    await until('until the lease of before is over', () => (bootClockMs() > overMs ? true : undefined), {
      deadlineMs: 20_000
    })
    for (const { pid, started } of before) expect(startTicks(pid)).to.equal(started)
    const { placements } = await (await mesh.client()).status('web', { signal: AbortSignal.timeout(8_000) })
    expect(placements.map(({ state }) => state)).to.deep.equal(['running'])
  })
})

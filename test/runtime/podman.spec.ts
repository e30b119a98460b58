import { expect } from 'chai'
import { execa } from 'execa'
import type { DeployRequest, PodContainer } from '../../src/runtime/index.ts'
import { startPool } from '../conformance/engine/pool.ts'
import { errorOf } from '../conformance/engine/tools.ts'
import { describeEngine } from '../conformance/engine-suite.ts'
import { settings } from './container-fixture.ts'
import { createPodmanFixture, type PodmanFixture, toContainer } from './podman-fixture.ts'

describeEngine('podman, over its service', () => createPodmanFixture())
// of the command line only what differs: how Podman is asked
describeEngine('podman, by its command line', () => createPodmanFixture({ service: false }), {
  only: (title) =>
    /^(runs a workload|removes twice|lists by|lets one|refuses (an image|a port)|reads logs: |restarts|keeps a claim|runs an image)/.test(
      title
    )
})

/** A few at once, because each mostly waits. */
describe('podman engine', function () {
  this.timeout(120_000)
  let fixture: PodmanFixture
  let results = new Map<string, Promise<void>>()
  const used: string[] = []

  const toRequest = (
    containers: readonly PodContainer[],
    spec: object = {},
    more: { files?: DeployRequest['files']; labels?: Record<string, string> } = {}
  ): DeployRequest => {
    const workloadId = `${fixture.prefix}p${used.length}`
    used.push(workloadId)
    const metadata = { name: workloadId, labels: more.labels ?? {} }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...spec } } as const
    return { workloadId, pod, files: more.files ?? [] }
  }
  const mounted = (name: string, volume: string, mountPath = '/data'): PodContainer => ({
    ...toContainer(name),
    volumeMounts: [{ name: volume, mountPath }]
  })
  const inspect = async (id: string, container: string) =>
    JSON.parse(await fixture.podman('inspect', `${id}-${container}`))[0]

  const bodies: Record<string, () => Promise<void>> = {
    'says that a container is gone when it was killed together with conmon, where podman says Up, and restarts it':
      async () => {
        const request = toRequest([toContainer('a'), toContainer('b')])
        await fixture.engine.deploy(request)
        const { Pid, ConmonPid } = (await inspect(request.workloadId, 'a')).State
        process.kill(ConmonPid, 'SIGKILL')
        process.kill(Pid, 'SIGKILL')
        const following = (async () => {
          for await (const _ of fixture.engine.logs(request.workloadId, { container: 'a', follow: true }));
        })()
        let workload = await fixture.engine.status(request.workloadId)
        for (let tries = 0; workload?.state === 'running' && tries < 100; tries++) {
          await new Promise((resolve) => setTimeout(resolve, 20))
          workload = await fixture.engine.status(request.workloadId)
        }
        expect((await inspect(request.workloadId, 'a')).State.Status).to.equal('running')
        expect(workload?.state).to.equal('failed')
        expect(workload?.message).to.contain('"a" is gone')
        expect(workload?.containers.find(({ name }) => name === 'b')?.state).to.equal('running')
        await following
        await fixture.engine.restart(request.workloadId, 'a')
        expect((await fixture.engine.status(request.workloadId))?.state).to.equal('running')
      },

    'restarts a container whose conmon was killed and whose stop was interrupted, which podman calls stopping for ever':
      async () => {
        const request = toRequest([toContainer('a'), toContainer('b')])
        await fixture.engine.deploy(request)
        const { Pid, ConmonPid } = (await inspect(request.workloadId, 'a')).State
        process.kill(ConmonPid, 'SIGKILL')
        process.kill(Pid, 'SIGKILL')
        const args = ['stop', '--time', '1', `${request.workloadId}-a`]
        await execa('podman', args, { env: settings(), reject: false, timeout: 1_000, killSignal: 'SIGKILL' })
        await fixture.engine.restart(request.workloadId, 'a')
        expect((await fixture.engine.status(request.workloadId))?.state).to.equal('running')
      },

    'removes a stubborn pod soon when no grace is given': async () => {
      const request = toRequest([toContainer('a', { stubborn: true })])
      await fixture.engine.deploy(request)
      const before = performance.now()
      await fixture.engine.remove(request.workloadId, { graceMs: 0 })
      expect(performance.now() - before).to.be.below(3_000) // a sanity bound: without care it is 3.5 s
    },

    'shows two nodes on one podman their own workloads only': async () => {
      const second = await fixture.createEngine()
      const label = (node: string) => ({ 'test.node': `${fixture.prefix}${node}` })
      const mine = toRequest([toContainer('a')], {}, { labels: label('one') })
      const theirs = toRequest([toContainer('a')], {}, { labels: label('two') })
      await fixture.engine.deploy(mine)
      await second.deploy(theirs)
      const ids = async (engine: PodmanFixture['engine'], node: string) =>
        (await engine.list({ labels: label(node) })).map(({ workloadId }) => workloadId)
      expect(await ids(fixture.engine, 'one')).to.deep.equal([mine.workloadId])
      expect(await ids(second, 'two')).to.deep.equal([theirs.workloadId])
      await second.close()
      expect((await fixture.engine.status(theirs.workloadId))?.state).to.equal('running')
    },

    'finds its workloads again after a restart, files included': async () => {
      const { runDir } = fixture
      const request = toRequest(
        [mounted('a', 'v')],
        { volumes: [{ name: 'v', configMap: { name: 'c' } }] },
        {
          files: [{ volume: 'v', files: [{ path: 'x', content: new Uint8Array([65]), mode: 0o444 }] }]
        }
      )
      const before = await fixture.createEngine({ runDir: `${runDir}/stable` })
      await before.deploy(request)
      await before.close()
      const after = await fixture.createEngine({ runDir: `${runDir}/stable` })
      expect((await after.status(request.workloadId))?.state).to.equal('running')
      await after.remove(request.workloadId)
      expect(await fixture.leftovers(request.workloadId)).to.deep.equal([])
    },

    'starts its service again when it ended, idle or killed': async () => {
      const log: string[] = []
      const engine = await fixture.createEngine({
        serviceIdleS: 1,
        logger: (format) => void log.push(format)
      })
      const request = toRequest([toContainer('a')])
      await engine.deploy(request)
      for (let tries = 0; !log.some((line) => line.includes('ended')) && tries < 100; tries++)
        await new Promise((resolve) => setTimeout(resolve, 100))
      expect((await engine.status(request.workloadId))?.state).to.equal('running')
      expect(log.filter((line) => line.includes('answers'))).to.have.length(2)
    },

    'leaves no service behind for long when the node is killed': async () => {
      const index = new URL('../../src/runtime/index.ts', import.meta.url).href
      const runDir = JSON.stringify(`${fixture.runDir}/killed`)
      const script = `const { PodmanEngine } = await import('${index}')
        const engine = new PodmanEngine({ runDir: ${runDir}, serviceIdleS: 1 })
        await engine.list({ labels: { 'test.none': 'x' } })
        process.kill(process.pid, 'SIGKILL')`
      const { signal } = await execa(process.execPath, ['--input-type=module', '--eval', script], {
        reject: false
      })
      expect(signal).to.equal('SIGKILL')
      const fetchServices = async () =>
        (await execa('ps', ['-e', '-o', 'args'])).stdout
          .split('\n')
          .filter((line) => line.includes(`${fixture.runDir}/killed/`))
      expect(await fetchServices()).to.have.length(1)
      for (let tries = 0; (await fetchServices()).length > 0; tries++) {
        if (tries > 100) expect.fail('the service is still there')
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },

    'is unavailable, with a reason, where there is no podman': async () => {
      const engine = await fixture.createEngine({ podmanPath: '/nonexistent/podman' })
      const { available, reason } = await engine.isAvailable()
      expect(available).to.equal(false)
      expect(reason).to.contain('/nonexistent/podman')
      expect((await errorOf(engine.deploy(toRequest([toContainer('a')]))))?.code).to.equal(
        'ENGINE_UNAVAILABLE'
      )
    }
  }

  before(async function () {
    const made = await createPodmanFixture()
    if (made === undefined) return this.skip()
    fixture = made
    results = startPool(bodies, 3)
  })

  for (const title of Object.keys(bodies)) it(title, () => results.get(title))

  it('leaves nothing of all that', async () => {
    await Promise.allSettled(results.values())
    await Promise.all(used.map((id) => fixture.engine.remove(id)))
    for (const id of used) expect(await fixture.leftovers(id)).to.deep.equal([])
  })

  after(() => fixture?.close())
})

import { expect } from 'chai'
import { type Cases, until } from './tools.ts'

export const lifecycleCases: Cases = {
  'says that it is available, and which version it is': async ({ engine }) => {
    const { available, version } = await engine.isAvailable()
    expect(available).to.equal(true)
    expect(version).to.be.a('string').that.is.not.empty
  },

  'runs a workload, shows it and removes it': async ({ engine, fixture, toRequest }) => {
    const seen: string[] = []
    const request = toRequest([fixture.container('web')], { labels: { 'beemesh.io/test': 'one' } })
    const deployed = await engine.deploy(request, { onState: (state) => seen.push(state) })
    expect(deployed.state).to.equal('running')
    expect(deployed.workloadId).to.equal(request.workloadId)
    expect(deployed.labels).to.deep.equal({ 'beemesh.io/test': 'one' })
    expect(deployed.containers.map(({ name, state }) => [name, state])).to.deep.equal([['web', 'running']])
    expect(deployed.startedAtMs).to.be.closeTo(Date.now(), 30_000)
    expect(seen).to.deep.equal(['starting'])
    expect(await engine.status(request.workloadId)).to.deep.equal(deployed)
    await engine.remove(request.workloadId)
    expect(await engine.status(request.workloadId)).to.equal(undefined)
    expect(await fixture.leftovers(request.workloadId)).to.deep.equal([])
  },

  'removes twice, and what never was': async ({ engine, fixture, newId, toRequest }) => {
    const request = toRequest([fixture.container('web')])
    await engine.deploy(request)
    await engine.remove(request.workloadId)
    await engine.remove(request.workloadId)
    await engine.remove(newId())
  },

  'lists by labels, all of them': async ({ engine, fixture, toRequest }) => {
    const mine = { 'test.run': fixture.prefix, color: 'red' }
    const red = toRequest([fixture.container('a')], { labels: mine })
    const blue = toRequest([fixture.container('a')], { labels: { ...mine, color: 'blue' } })
    await Promise.all([engine.deploy(red), engine.deploy(blue)])
    const list = async (labels: Record<string, string>) =>
      (await engine.list({ labels })).map(({ workloadId }) => workloadId).sort()
    expect(await list({ 'test.run': fixture.prefix })).to.deep.equal([red.workloadId, blue.workloadId].sort())
    expect(await list(mine)).to.deep.equal([red.workloadId])
    expect(await list({ ...mine, color: 'green' })).to.deep.equal([])
  },

  'lets one of two simultaneous deployments of an ID through': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([fixture.container('web')])
    const results = await Promise.allSettled([engine.deploy(request), engine.deploy(request)])
    expect(results.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected'])
    expect((await engine.status(request.workloadId))?.state).to.equal('running')
  },

  'publishes no container port that has no host port': async ({ engine, fixture, toRequest }) => {
    const container = { ...fixture.container('web'), ports: [{ containerPort: 8080 }] }
    const { ports } = await engine.deploy(toRequest([container]))
    expect(ports).to.deep.equal([])
  },

  'runs four deployments at once': async ({ engine, fixture, toRequest }) => {
    const requests = Array.from({ length: 4 }, () => toRequest([fixture.container('web')]))
    const workloads = await Promise.all(requests.map((request) => engine.deploy(request)))
    expect(workloads.map(({ state }) => state)).to.deep.equal(['running', 'running', 'running', 'running'])
    await Promise.all(requests.map(({ workloadId }) => engine.remove(workloadId)))
    for (const { workloadId } of requests) expect(await fixture.leftovers(workloadId)).to.deep.equal([])
  },

  'tells stopped from failed': async ({ engine, fixture, toRequest }) => {
    const well = toRequest([fixture.container('a', { exitCode: 0 }), fixture.container('b', { exitCode: 0 })])
    const badly = toRequest([fixture.container('a'), fixture.container('b', { exitCode: 3 })])
    await engine.deploy(well)
    await engine.deploy(badly)
    const stopped = await until(engine, well.workloadId, ({ state }) => state !== 'running')
    expect(stopped.state).to.equal('stopped')
    expect(stopped.containers.map(({ exitCode }) => exitCode)).to.deep.equal([0, 0])
    const failed = await until(engine, badly.workloadId, ({ state }) => state !== 'running')
    expect(failed.state).to.equal('failed')
    expect(failed.message).to.contain('"b"').and.to.contain('3')
    expect(failed.containers.find(({ name }) => name === 'b')?.finishedAtMs).to.be.closeTo(Date.now(), 30_000)
  },

  'leaves nothing of a deployment that is aborted, whenever that is': async ({
    engine,
    fixture,
    toRequest
  }) => {
    const attempt = async (afterMs: number) => {
      const request = toRequest([fixture.container('a'), fixture.container('b')], {
        spec: { volumes: [{ name: 'v', emptyDir: {} }] }
      })
      const controller = new AbortController()
      const reason = new RangeError(`after ${afterMs} ms`)
      const onState = () => void setTimeout(() => controller.abort(reason), afterMs)
      const result = await engine.deploy(request, { signal: controller.signal, onState }).then(
        () => 'done',
        (thrown: unknown) => thrown
      )
      if (result === 'done') await engine.remove(request.workloadId)
      else expect(result).to.equal(reason)
      expect(await fixture.leftovers(request.workloadId), `after ${afterMs} ms`).to.deep.equal([])
    }
    await Promise.all([0, 3, 15, 60, 130, 200].map(attempt))
  },

  'removes a workload that ignores SIGTERM': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([fixture.container('a', { stubborn: true, say: ['up'] })])
    await engine.deploy(request)
    await engine.remove(request.workloadId, { graceMs: 200 })
    expect(await fixture.leftovers(request.workloadId)).to.deep.equal([])
  }
}

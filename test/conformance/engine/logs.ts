import { expect } from 'chai'
import type { RuntimeError } from '../../../src/runtime/index.ts'
import { type Cases, read, until } from './tools.ts'

export const logsCases: Cases = {
  'reads logs: all, the last lines, one container, since a time': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([
      fixture.container('a', { say: ['a1', 'a2', 'a3'], exitCode: 0 }),
      fixture.container('b', { say: ['b1'], exitCode: 0 })
    ])
    await engine.deploy(request)
    const { workloadId: id } = request
    await until(engine, id, ({ state }) => state === 'stopped')
    expect((await read(engine.logs(id))).sort()).to.deep.equal(['a1', 'a2', 'a3', 'b1'])
    expect((await read(engine.logs(id, { tail: 1 }))).sort()).to.deep.equal(['a3', 'b1'])
    expect(await read(engine.logs(id, { container: 'a', tail: 2 }))).to.deep.equal(['a2', 'a3'])
    expect(await read(engine.logs(id, { tail: 0 }))).to.deep.equal([])
    expect(await read(engine.logs(id, { sinceMs: Date.now() + 60_000 }))).to.deep.equal([])
    expect((await read(engine.logs(id, { follow: true }))).sort()).to.deep.equal(['a1', 'a2', 'a3', 'b1'])
    for await (const line of engine.logs(id, { container: 'b' })) {
      expect(line).to.include({ container: 'b', stream: 'stdout', line: 'b1' })
      expect(line.timestampMs).to.be.closeTo(Date.now(), 30_000)
    }
  },

  'knows no logs of what is not there': async ({ engine, fixture, newId, toRequest }) => {
    const request = toRequest([fixture.container('a')])
    await engine.deploy(request)
    for (const lines of [engine.logs(newId()), engine.logs(request.workloadId, { container: 'z' })]) {
      const error = await read(lines).then(
        () => undefined,
        (thrown: RuntimeError) => thrown
      )
      expect(error?.code).to.equal('WORKLOAD_NOT_FOUND')
    }
  },

  'ends a followed log when the signal fires': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([fixture.container('a', { say: ['here'] })])
    await engine.deploy(request)
    const controller = new AbortController()
    const reason = new RangeError('enough')
    const seen: string[] = []
    const error = await (async () => {
      for await (const { line } of engine.logs(request.workloadId, {
        follow: true,
        signal: controller.signal
      })) {
        seen.push(line)
        controller.abort(reason)
      }
    })().then(
      () => undefined,
      (thrown: unknown) => thrown
    )
    expect(seen).to.deep.equal(['here'])
    expect(error).to.equal(reason)
  },

  'ends a followed log when the container ends, and when the reader has had enough': async ({
    engine,
    fixture,
    toRequest
  }) => {
    const request = toRequest([fixture.container('a', { say: ['one', 'two'] })])
    await engine.deploy(request)
    for await (const { line } of engine.logs(request.workloadId, { follow: true })) {
      expect(line).to.equal('one')
      break
    }
    const following = read(engine.logs(request.workloadId, { follow: true }))
    await fixture.endContainer(request.workloadId, 'a')
    expect(await following).to.deep.equal(['one', 'two'])
  },

  'ends a followed log when the workload is removed': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([
      fixture.container('a', { say: ['one'] }),
      fixture.container('b', { say: ['two'] })
    ])
    await engine.deploy(request)
    const following = read(engine.logs(request.workloadId, { follow: true }))
    await until(engine, request.workloadId, ({ state }) => state === 'running')
    await engine.remove(request.workloadId)
    await following
  }
}

import { expect } from 'chai'
import type { RuntimeError } from '../../../src/runtime/index.ts'
import { type Cases, read, withPort } from './tools.ts'

export const refusalsCases: Cases = {
  'refuses an ID that is taken, and leaves the first alone': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([fixture.container('web', { say: ['first'] })])
    await engine.deploy(request)
    const error = await engine.deploy(request).then(
      () => undefined,
      (thrown: RuntimeError) => thrown
    )
    expect(error?.code).to.equal('NAME_IN_USE')
    expect((await engine.status(request.workloadId))?.state).to.equal('running')
    expect(await read(engine.logs(request.workloadId))).to.deep.equal(['first'])
  },

  'refuses an image that is not there': async ({ fixture, refused, toRequest }) => {
    const error = await refused(
      toRequest([{ ...fixture.container('web'), image: fixture.missingImage }]),
      'IMAGE_NOT_FOUND'
    )
    expect(error.message).to.contain(fixture.missingImage)
  },

  'refuses a command that is not there': async ({ fixture, refused, toRequest }) => {
    const error = await refused(toRequest([fixture.brokenContainer('web')]), 'START_FAILED')
    expect(error.details.workloadId).to.be.a('string')
  },

  'starts nothing of a pod when one of two containers cannot start': async ({
    fixture,
    refused,
    toRequest
  }) => {
    await refused(toRequest([fixture.container('good'), fixture.brokenContainer('bad')]), 'START_FAILED')
  },

  'refuses a name that is not the ID': async ({ fixture, refused, toRequest }) => {
    const request = toRequest([fixture.container('web')])
    await refused(
      { ...request, pod: { ...request.pod, metadata: { name: 'other', labels: {} } } },
      'POD_REFUSED'
    )
  },

  'refuses files for a volume that is not there, and files outside of it': async ({
    fixture,
    refused,
    toRequest
  }) => {
    const files = (volume: string, path: string) => [
      { volume, files: [{ path, content: new Uint8Array(1), mode: 0o400 }] }
    ]
    const spec = { volumes: [{ name: 'v', emptyDir: {} }] }
    await refused(toRequest([fixture.container('web')], { spec, files: files('w', 'a') }), 'POD_REFUSED')
    await refused(toRequest([fixture.container('web')], { spec, files: files('v', '../a') }), 'POD_REFUSED')
    await refused(toRequest([fixture.container('web')], { spec, files: files('v', '/a') }), 'POD_REFUSED')
  },

  'refuses a port that somebody holds, and takes it when it is free': async ({
    engine,
    fixture,
    refused,
    toRequest
  }) => {
    const { port, release } = await fixture.occupyPort()
    try {
      const error = await refused(toRequest([withPort(fixture.container('web'), port)]), 'PORT_IN_USE')
      expect(error.retryable).to.equal(true)
    } finally {
      await release()
    }
    const { ports } = await engine.deploy(toRequest([withPort(fixture.container('web'), port)]))
    expect(ports).to.deep.equal([
      { containerPort: 8080, hostPort: port, hostIp: '127.0.0.1', protocol: 'TCP' }
    ])
  },

  'starts nothing when the signal has fired before': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([fixture.container('a')])
    const signal = AbortSignal.abort(new RangeError('too late'))
    const error = await engine.deploy(request, { signal }).then(
      () => undefined,
      (thrown: unknown) => thrown
    )
    expect(error).to.equal(signal.reason)
    expect(await fixture.leftovers(request.workloadId)).to.deep.equal([])
  }
}

import { expect } from 'chai'
import { type Cases, errorOf, run, withClaim } from './tools.ts'

/** What outlives a workload, or is there before it: volumes and images. */
export const thingsCases: Cases = {
  'keeps a claim for the next deployment, until it is told to remove it': async ({
    engine,
    fixture,
    newId,
    toRequest
  }) => {
    const claim = `${newId()}.claim`
    const { mounted, spec } = withClaim(fixture.container('a'), claim)
    const [first, second] = [toRequest([mounted], { spec }), toRequest([mounted], { spec })]
    try {
      await engine.deploy(first)
      expect((await run(engine, first.workloadId, fixture.commands.write)).exitCode).to.equal(0)
      expect((await errorOf(engine.removeVolumes([claim])))?.code).to.equal('VOLUME_IN_USE')
      await engine.remove(first.workloadId)
      expect(await fixture.volumes()).to.include(claim)
      await engine.deploy(second)
      expect((await run(engine, second.workloadId, fixture.commands.read)).stdout.trim()).to.equal('kept')
    } finally {
      await engine.remove(first.workloadId)
      await engine.remove(second.workloadId)
      await engine.removeVolumes([claim])
    }
    expect(await fixture.volumes()).to.not.include(claim)
    await engine.removeVolumes([claim, `${claim}-that-never-was`])
  },

  'takes a claim that it made away again when the deployment fails, and leaves one that was there': async ({
    engine,
    fixture,
    newId,
    refused,
    toRequest
  }) => {
    const [old, fresh] = [`${newId()}.old`, `${newId()}.fresh`]
    const broken = (claim: string) => {
      const { mounted, spec } = withClaim(fixture.brokenContainer('a'), claim)
      return toRequest([mounted], { spec })
    }
    const { mounted, spec } = withClaim(fixture.container('a'), old)
    const holder = toRequest([mounted], { spec })
    try {
      await Promise.all([engine.deploy(holder), refused(broken(fresh), 'START_FAILED')])
      await engine.remove(holder.workloadId)
      await refused(broken(old), 'START_FAILED')
      expect((await fixture.volumes()).filter((name) => [old, fresh].includes(name))).to.deep.equal([old])
    } finally {
      await engine.remove(holder.workloadId)
      await engine.removeVolumes([old, fresh])
    }
  },

  'runs an image by its digest': async ({ engine, fixture, toRequest }) => {
    for (const image of fixture.digestImages) {
      const container = { ...fixture.container('a'), image, imagePullPolicy: 'Never' }
      expect((await engine.deploy(toRequest([container]))).state, image).to.equal('running')
    }
  },

  'pulls by the policy that the container has': async ({ engine, fixture, refused, toRequest }) => {
    const seen: string[] = []
    const withPolicy = (imagePullPolicy: string | undefined, image: string) => {
      const { imagePullPolicy: _, ...container } = fixture.container('a')
      return toRequest([{ ...container, image, ...(imagePullPolicy && { imagePullPolicy }) }])
    }
    const { unreachableImage } = fixture
    const onState = (state: string) => seen.push(state)
    await engine.deploy(withPolicy(undefined, unreachableImage), { onState })
    await engine.deploy(withPolicy('Never', unreachableImage), { onState })
    expect(seen).to.deep.equal(['starting', 'starting'])
    const error = await refused(withPolicy('Always', unreachableImage), 'IMAGE_PULL_FAILED')
    expect(error.retryable).to.equal(true)
    expect(error.message).to.contain(unreachableImage)
    const absent = unreachableImage.replace(/:[^:/]*$/, ':absent')
    await refused(withPolicy('Never', absent), 'IMAGE_NOT_FOUND')
    await refused(withPolicy(undefined, absent), 'IMAGE_PULL_FAILED')
    const request = withPolicy('Always', unreachableImage)
    await errorOf(engine.deploy(request, { onState }))
    expect(seen.at(-1)).to.equal('pulling')
  }
}

import { expect } from 'chai'
import { MockEngine, type MockScript, type PodContainer, type RuntimeError } from '../../src/runtime/index.ts'
import { type ContainerScript, describeEngine, type EngineFixture } from '../conformance/engine-suite.ts'

const IMAGE = 'mock/image:1'

function toContainer(name: string, script: ContainerScript = {}): PodContainer {
  return {
    name,
    image: IMAGE,
    args: [JSON.stringify({ lines: script.say ?? [], exitCode: script.exitCode })]
  }
}

async function createMockFixture(): Promise<EngineFixture> {
  const engine = new MockEngine({
    delayMs: 50,
    missingImages: ['mock/missing:1'],
    missingCommands: ['/nope'],
    script: ({ args }) => JSON.parse(String((args as string[])[0])) as MockScript
  })
  let ports = 20_000
  return {
    engine,
    prefix: 'mock-',
    missingImage: 'mock/missing:1',
    container: toContainer,
    brokenContainer: (name) => ({ ...toContainer(name), command: ['/nope'] }),
    async occupyPort() {
      const port = ports++
      const workloadId = `holder-${port}`
      const holder = { ...toContainer('a'), ports: [{ containerPort: 1, hostPort: port }] }
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: workloadId, labels: {} },
        spec: { containers: [holder] }
      } as const
      await engine.deploy({ workloadId, pod, files: [] })
      return { port, release: () => engine.remove(workloadId) }
    },
    endContainer: async (workloadId, container) => engine.exitContainer(workloadId, container, 143),
    leftovers: async (workloadId) => (engine.getWorkloadConfig(workloadId) === undefined ? [] : [workloadId]),
    async close() {
      expect(engine.workloadCount()).to.equal(0)
    }
  }
}

describeEngine('mock', createMockFixture)

describe('mock engine', () => {
  const toRequest = (workloadId: string, resources?: object) => ({
    workloadId,
    files: [],
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: workloadId, labels: {} },
      spec: {
        containers: [
          {
            name: 'a',
            image: IMAGE,
            ...(resources === undefined ? {} : { resources: { limits: resources } })
          }
        ]
      }
    } as const
  })
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'ok',
      ({ code }: RuntimeError) => code
    )

  it('fails the same deployments for the same seed', async () => {
    const draw = async (seed: number) => {
      const engine = new MockEngine({ successRate: 0.5, seed })
      const codes: string[] = []
      for (let i = 0; i < 40; i++) codes.push(await codeOf(engine.deploy(toRequest(`w${i}`))))
      return codes
    }
    const first = await draw(7)
    expect(await draw(7)).to.deep.equal(first)
    expect(await draw(8)).to.not.deep.equal(first)
    expect(first.filter((code) => code === 'ok').length).to.be.within(10, 30)
  })

  it('refuses what exceeds its limits, and takes it when there is room', async () => {
    const engine = new MockEngine({ memoryLimitBytes: 100 * 2 ** 20, cpuLimitMillis: 1000 })
    await engine.deploy(toRequest('big', { memory: '64Mi', cpu: '0.5' }))
    expect(await codeOf(engine.deploy(toRequest('more', { memory: '64Mi' })))).to.equal('RESOURCES_EXHAUSTED')
    expect(await codeOf(engine.deploy(toRequest('more', { cpu: '501m' })))).to.equal('RESOURCES_EXHAUSTED')
    expect(engine.getWorkloadConfig('big')).to.include({ cpuMillis: 500, memoryBytes: 64 * 2 ** 20 })
    await engine.remove('big')
    expect(await codeOf(engine.deploy(toRequest('more', { memory: '64Mi', cpu: '501m' })))).to.equal('ok')
  })

  it('shows tests what it was given, and forgets it on request', async () => {
    const engine = new MockEngine()
    await engine.deploy(toRequest('a'))
    expect(engine.getWorkloadManifest('a')).to.deep.equal(toRequest('a').pod)
    expect(engine.workloadCount()).to.equal(1)
    engine.clearWorkloads()
    expect(engine.workloadCount()).to.equal(0)
    expect(engine.getWorkloadManifest('a')).to.equal(undefined)
  })

  it('says in its version and its log that it pretends', async () => {
    const engine = new MockEngine()
    await engine.deploy(toRequest('a'))
    expect((await engine.isAvailable()).version).to.contain('mock')
    for await (const { line } of engine.logs('a')) expect(line).to.contain('pretending')
  })

  it('can be told to be unavailable', async () => {
    expect((await new MockEngine({ available: false }).isAvailable()).available).to.equal(false)
  })
})

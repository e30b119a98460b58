import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import {
  MockEngine,
  type MockEngineInit,
  type MockScript,
  type PodContainer,
  type RuntimeError
} from '../../src/runtime/index.ts'
import {
  type Commands,
  type ContainerScript,
  describeEngine,
  type EngineFixture
} from '../conformance/engine-suite.ts'

const IMAGE = 'mock/image:1'
const COMMANDS: Commands = {
  fail: ['fail'],
  echo: ['echo'],
  size: ['size'],
  hang: (word) => ['hang', word],
  write: ['write'],
  read: ['read'],
  interfaces: ['interfaces']
}

function toContainer(name: string, { say = [], ...script }: ContainerScript = {}): PodContainer {
  return { name, image: IMAGE, args: [JSON.stringify({ lines: say, ...script })] }
}

/** The commands above, pretended; what they write to a claim is kept by its name. */
function createExec(): MockEngineInit['exec'] {
  const claims = new Map<string, string>()
  return async ({ pod }, _, { command, stdin, resizes, onOutput, signal }) => {
    type Volume = { readonly persistentVolumeClaim?: { readonly claimName: string } }
    const [volume] = (pod.spec.volumes as readonly Volume[] | undefined) ?? []
    const claim = volume?.persistentVolumeClaim?.claimName ?? ''
    const write = async (text: string) => onOutput('stdout', new TextEncoder().encode(text))
    if (command[0] === 'hang') await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    if (command[0] === 'write') claims.set(claim, 'kept')
    if (command[0] === 'read') await write(claims.get(claim) ?? '')
    if (command[0] === 'echo') for await (const bytes of stdin ?? []) await onOutput('stdout', bytes)
    if (command[0] === 'size')
      for await (const { rows, columns } of resizes ?? []) await write(`${rows} ${columns}\r\n`)
    if (command[0] !== 'fail') return 0
    await write('out\n')
    await onOutput('stderr', new TextEncoder().encode('err\n'))
    return 7
  }
}

async function createMockFixture(): Promise<EngineFixture> {
  const server = createServer((_, response) => void response.end('hello from beemesh'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const engine = new MockEngine({
    delayMs: 50,
    missingImages: ['localhost/missing:1', 'mock/image:absent'],
    missingCommands: ['/nope'],
    offline: true,
    script: ({ args }) => JSON.parse(String((args as string[])[0])) as MockScript,
    exec: createExec()
  })
  let ports = 20_000
  return {
    engine,
    prefix: 'mock-',
    missingImage: 'localhost/missing:1',
    unreachableImage: IMAGE,
    digestImages: [`mock/image@sha256:${'0'.repeat(64)}`],
    commands: COMMANDS,
    container: toContainer,
    brokenContainer: (name) => ({ ...toContainer(name), command: ['/nope'] }),
    webContainer: (name) => ({ container: toContainer(name), port: (server.address() as AddressInfo).port }),
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
    endContainer: async (workloadId, container, signal) =>
      engine.exitContainer(workloadId, container, signal === 'SIGKILL' ? 137 : 143),
    countProcesses: async () => undefined,
    volumes: async () => engine.volumes(),
    leftovers: async (workloadId) => (engine.getWorkloadConfig(workloadId) === undefined ? [] : [workloadId]),
    async close() {
      server.close()
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

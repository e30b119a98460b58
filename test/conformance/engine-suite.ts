/**
 * What every engine must do, as one mocha suite: run it against a new engine with a fixture, and it is done when this passes.
 * After every test nothing of it is left on the engine; that is asserted too, through the fixture's own eyes and not the engine's.
 */
import { expect } from 'chai'
import {
  type DeployRequest,
  type EngineWorkload,
  type LogLine,
  type PodContainer,
  type PodDocument,
  type RuntimeEngine,
  RuntimeError,
  type RuntimeErrorCode
} from '../../src/runtime/index.ts'

/** What a container does, in words every engine's fixture can carry out. */
export interface ContainerScript {
  readonly say?: readonly string[]
  /** Ends with this code after it has spoken; undefined runs on until it is told to end. */
  readonly exitCode?: number
  /** Does not care for SIGTERM. */
  readonly stubborn?: boolean
}

export interface EngineFixture {
  readonly engine: RuntimeEngine
  /** Begins every workload ID of this run. */
  readonly prefix: string
  readonly missingImage: string
  container(name: string, script?: ContainerScript): PodContainer
  /** A container that cannot be started. */
  brokenContainer(name: string): PodContainer
  /** A TCP port on 127.0.0.1 that somebody else holds until `release`. */
  occupyPort(): Promise<{ readonly port: number; release(): Promise<void> }>
  /** Makes a running container end. */
  endContainer(workloadId: string, container: string): Promise<void>
  /** Names of whatever is left of a workload: pods, containers, volumes, files. */
  leftovers(workloadId: string): Promise<string[]>
  close(): Promise<void>
}

export function describeEngine(name: string, createFixture: () => Promise<EngineFixture | undefined>): void {
  describe(`the engine contract, by ${name}`, function () {
    this.timeout(60_000)
    let fixture: EngineFixture
    let engine: RuntimeEngine
    let used: string[] = []
    let count = 0

    before(async function () {
      const made = await createFixture()
      if (made === undefined) return this.skip()
      fixture = made
      engine = made.engine
    })

    afterEach(async () => {
      const ids = used
      used = []
      for (const id of ids) await engine.remove(id)
      for (const id of ids) expect(await fixture.leftovers(id)).to.deep.equal([])
    })

    after(() => fixture?.close())

    const newId = (): string => {
      const id = `${fixture.prefix}${count++}`
      used.push(id)
      return id
    }
    const toRequest = (
      containers: readonly PodContainer[],
      more: { labels?: Record<string, string>; spec?: object; files?: DeployRequest['files'] } = {}
    ): DeployRequest => {
      const workloadId = newId()
      const pod: PodDocument = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: workloadId, labels: more.labels ?? {} },
        spec: { restartPolicy: 'Never', containers, ...more.spec }
      }
      return { workloadId, pod, files: more.files ?? [] }
    }
    const withPort = (container: PodContainer, hostPort: number): PodContainer => ({
      ...container,
      ports: [{ containerPort: 8080, hostPort, hostIP: '127.0.0.1' }]
    })
    const refused = async (request: DeployRequest, code: RuntimeErrorCode): Promise<RuntimeError> => {
      const error = await engine.deploy(request).then(
        () => undefined,
        (thrown: unknown) => thrown
      )
      expect(error, 'deploy resolved').to.be.instanceOf(RuntimeError)
      expect((error as RuntimeError).code, (error as Error).message).to.equal(code)
      expect(await fixture.leftovers(request.workloadId), 'left over').to.deep.equal([])
      return error as RuntimeError
    }
    const until = async (
      id: string,
      accept: (workload: EngineWorkload) => boolean
    ): Promise<EngineWorkload> => {
      for (let last: EngineWorkload | undefined, tries = 0; ; tries++) {
        last = await engine.status(id)
        if (last !== undefined && accept(last)) return last
        if (tries > 200) expect.fail(`waited in vain, last seen: ${JSON.stringify(last)}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    const read = async (lines: AsyncIterable<LogLine>): Promise<string[]> => {
      const texts: string[] = []
      for await (const { line } of lines) texts.push(line)
      return texts
    }

    it('says that it is available, and which version it is', async () => {
      const { available, version } = await engine.isAvailable()
      expect(available).to.equal(true)
      expect(version).to.be.a('string').that.is.not.empty
    })

    it('runs a workload, shows it and removes it', async () => {
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
    })

    it('removes twice, and what never was', async () => {
      const request = toRequest([fixture.container('web')])
      await engine.deploy(request)
      await engine.remove(request.workloadId)
      await engine.remove(request.workloadId)
      await engine.remove(newId())
    })

    it('lists by labels, all of them', async () => {
      const mine = { 'test.run': fixture.prefix, color: 'red' }
      const red = toRequest([fixture.container('a')], { labels: mine })
      const blue = toRequest([fixture.container('a')], { labels: { ...mine, color: 'blue' } })
      await Promise.all([engine.deploy(red), engine.deploy(blue)])
      const list = async (labels: Record<string, string>) =>
        (await engine.list({ labels })).map(({ workloadId }) => workloadId).sort()
      expect(await list({ 'test.run': fixture.prefix })).to.deep.equal(
        [red.workloadId, blue.workloadId].sort()
      )
      expect(await list(mine)).to.deep.equal([red.workloadId])
      expect(await list({ ...mine, color: 'green' })).to.deep.equal([])
    })

    it('refuses an ID that is taken, and leaves the first alone', async () => {
      const request = toRequest([fixture.container('web', { say: ['first'] })])
      await engine.deploy(request)
      const error = await engine.deploy(request).then(
        () => undefined,
        (thrown: RuntimeError) => thrown
      )
      expect(error?.code).to.equal('NAME_IN_USE')
      expect((await engine.status(request.workloadId))?.state).to.equal('running')
      expect(await read(engine.logs(request.workloadId))).to.deep.equal(['first'])
    })

    it('lets one of two simultaneous deployments of an ID through', async () => {
      const request = toRequest([fixture.container('web')])
      const results = await Promise.allSettled([engine.deploy(request), engine.deploy(request)])
      expect(results.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected'])
      expect((await engine.status(request.workloadId))?.state).to.equal('running')
    })

    it('refuses an image that is not there', async () => {
      const error = await refused(
        toRequest([{ ...fixture.container('web'), image: fixture.missingImage }]),
        'IMAGE_NOT_FOUND'
      )
      expect(error.message).to.contain(fixture.missingImage)
    })

    it('refuses a command that is not there', async () => {
      const error = await refused(toRequest([fixture.brokenContainer('web')]), 'START_FAILED')
      expect(error.details.workloadId).to.be.a('string')
    })

    it('starts nothing of a pod when one of two containers cannot start', async () => {
      await refused(toRequest([fixture.container('good'), fixture.brokenContainer('bad')]), 'START_FAILED')
    })

    it('refuses a name that is not the ID', async () => {
      const request = toRequest([fixture.container('web')])
      await refused(
        { ...request, pod: { ...request.pod, metadata: { name: 'other', labels: {} } } },
        'POD_REFUSED'
      )
    })

    it('refuses files for a volume that is not there, and files outside of it', async () => {
      const files = (volume: string, path: string) => [
        { volume, files: [{ path, content: new Uint8Array(1), mode: 0o400 }] }
      ]
      const spec = { volumes: [{ name: 'v', emptyDir: {} }] }
      await refused(toRequest([fixture.container('web')], { spec, files: files('w', 'a') }), 'POD_REFUSED')
      await refused(toRequest([fixture.container('web')], { spec, files: files('v', '../a') }), 'POD_REFUSED')
      await refused(toRequest([fixture.container('web')], { spec, files: files('v', '/a') }), 'POD_REFUSED')
    })

    it('refuses a port that somebody holds, and takes it when it is free', async () => {
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
    })

    it('publishes no container port that has no host port', async () => {
      const container = { ...fixture.container('web'), ports: [{ containerPort: 8080 }] }
      const { ports } = await engine.deploy(toRequest([container]))
      expect(ports).to.deep.equal([])
    })

    it('runs four deployments at once', async () => {
      const requests = Array.from({ length: 4 }, () => toRequest([fixture.container('web')]))
      const workloads = await Promise.all(requests.map((request) => engine.deploy(request)))
      expect(workloads.map(({ state }) => state)).to.deep.equal(['running', 'running', 'running', 'running'])
      await Promise.all(requests.map(({ workloadId }) => engine.remove(workloadId)))
      for (const { workloadId } of requests) expect(await fixture.leftovers(workloadId)).to.deep.equal([])
    })

    it('tells stopped from failed', async () => {
      const well = toRequest([
        fixture.container('a', { exitCode: 0 }),
        fixture.container('b', { exitCode: 0 })
      ])
      const badly = toRequest([fixture.container('a'), fixture.container('b', { exitCode: 3 })])
      await engine.deploy(well)
      await engine.deploy(badly)
      const stopped = await until(well.workloadId, ({ state }) => state !== 'running')
      expect(stopped.state).to.equal('stopped')
      expect(stopped.containers.map(({ exitCode }) => exitCode)).to.deep.equal([0, 0])
      const failed = await until(badly.workloadId, ({ state }) => state !== 'running')
      expect(failed.state).to.equal('failed')
      expect(failed.message).to.contain('"b"').and.to.contain('3')
      expect(failed.containers.find(({ name }) => name === 'b')?.finishedAtMs).to.be.closeTo(
        Date.now(),
        30_000
      )
    })

    it('reads logs: all, the last lines, one container, since a time', async () => {
      const request = toRequest([
        fixture.container('a', { say: ['a1', 'a2', 'a3'], exitCode: 0 }),
        fixture.container('b', { say: ['b1'], exitCode: 0 })
      ])
      await engine.deploy(request)
      const { workloadId: id } = request
      await until(id, ({ state }) => state === 'stopped')
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
    })

    it('knows no logs of what is not there', async () => {
      const request = toRequest([fixture.container('a')])
      await engine.deploy(request)
      for (const lines of [engine.logs(newId()), engine.logs(request.workloadId, { container: 'z' })]) {
        const error = await read(lines).then(
          () => undefined,
          (thrown: RuntimeError) => thrown
        )
        expect(error?.code).to.equal('WORKLOAD_NOT_FOUND')
      }
    })

    it('ends a followed log when the signal fires', async () => {
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
    })

    it('ends a followed log when the container ends, and when the reader has had enough', async () => {
      const request = toRequest([fixture.container('a', { say: ['one', 'two'] })])
      await engine.deploy(request)
      for await (const { line } of engine.logs(request.workloadId, { follow: true })) {
        expect(line).to.equal('one')
        break
      }
      const following = read(engine.logs(request.workloadId, { follow: true }))
      await fixture.endContainer(request.workloadId, 'a')
      expect(await following).to.deep.equal(['one', 'two'])
    })

    it('ends a followed log when the workload is removed', async () => {
      const request = toRequest([
        fixture.container('a', { say: ['one'] }),
        fixture.container('b', { say: ['two'] })
      ])
      await engine.deploy(request)
      const following = read(engine.logs(request.workloadId, { follow: true }))
      await until(request.workloadId, ({ state }) => state === 'running')
      await engine.remove(request.workloadId)
      await following
    })

    it('leaves nothing of a deployment that is aborted, whenever that is', async () => {
      for (const afterMs of [0, 15, 40, 80, 130, 200]) {
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
    })

    it('starts nothing when the signal has fired before', async () => {
      const request = toRequest([fixture.container('a')])
      const signal = AbortSignal.abort(new RangeError('too late'))
      const error = await engine.deploy(request, { signal }).then(
        () => undefined,
        (thrown: unknown) => thrown
      )
      expect(error).to.equal(signal.reason)
      expect(await fixture.leftovers(request.workloadId)).to.deep.equal([])
    })

    it('removes a workload that ignores SIGTERM', async () => {
      const request = toRequest([fixture.container('a', { stubborn: true, say: ['up'] })])
      await engine.deploy(request)
      await engine.remove(request.workloadId, { graceMs: 200 })
      expect(await fixture.leftovers(request.workloadId)).to.deep.equal([])
    })
  })
}

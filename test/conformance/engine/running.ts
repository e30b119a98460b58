import { expect } from 'chai'
import { startTicks } from '../../../src/runtime/index.ts'
import { type Cases, errorOf, read, run, until } from './tools.ts'

/** What happens inside a workload that runs: restarts, commands, numbers. */
export const runningCases: Cases = {
  'starts an ended container again in place: its log goes on, and its neighbours run on': async ({
    engine,
    fixture,
    toRequest
  }) => {
    const { container, port } = fixture.webContainer('web')
    const request = toRequest([container, fixture.container('a', { say: ['one'], exitCode: 3 })])
    await engine.deploy(request)
    const { workloadId: id } = request
    const ended = await until(engine, id, ({ state }) => state === 'failed')
    await engine.restart(id, 'a')
    await until(engine, id, ({ state }) => state === 'failed')
    expect(await read(engine.logs(id, { container: 'a' }))).to.deep.equal(['one', 'one'])
    const after = (await engine.status(id))!
    expect(after.containers[0]).to.deep.equal(ended.containers[0])
    await fixture.endContainer(id, 'web', 'SIGKILL')
    await until(engine, id, ({ containers }) => containers[0]?.state === 'exited')
    await engine.restart(id, 'web')
    const { containers, address } = (await engine.status(id))! // perhaps another address: nothing of the pod was left running
    expect(containers[0]?.state).to.equal('running')
    expect(await fetchSoon(`http://${address}:${port}/`)).to.contain('hello from beemesh')
  },

  'restarts a container that still runs, with or without grace': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([fixture.container('a', { say: ['up'] })])
    const { workloadId: id } = request
    await engine.deploy(request)
    await engine.restart(id, 'a')
    await engine.restart(id, 'a', { graceMs: 5_000 })
    expect((await engine.status(id))?.state).to.equal('running')
    while ((await read(engine.logs(id))).length < 3) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await read(engine.logs(id))).to.deep.equal(['up', 'up', 'up'])
  },

  'knows nothing to restart, or to run a command in, where nothing is': async ({
    engine,
    fixture,
    newId,
    toRequest
  }) => {
    const request = toRequest([fixture.container('a')])
    await engine.deploy(request)
    const attempts = [
      engine.restart(newId(), 'a'),
      engine.restart(request.workloadId, 'z'),
      run(engine, newId(), fixture.commands.fail),
      run(engine, request.workloadId, fixture.commands.fail, { container: 'z' })
    ].map(errorOf)
    for (const attempt of attempts) expect((await attempt)?.code).to.equal('WORKLOAD_NOT_FOUND')
  },

  'runs a command: both streams, its exit code, its input, the size of its terminal': async ({
    engine,
    fixture,
    toRequest
  }) => {
    const request = toRequest([fixture.container('a')])
    await engine.deploy(request)
    const { workloadId: id } = request
    const { commands } = fixture
    expect(await run(engine, id, commands.fail)).to.deep.equal({
      exitCode: 7,
      stdout: 'out\n',
      stderr: 'err\n'
    })
    const words = 'x'.repeat(100_000)
    async function* stdin() {
      for (const word of [words, 'end']) yield new TextEncoder().encode(word)
    }
    expect(await run(engine, id, commands.echo, { stdin: stdin() })).to.deep.equal({
      exitCode: 0,
      stdout: `${words}end`,
      stderr: ''
    })
    async function* resizes() {
      yield { columns: 100, rows: 40 }
    }
    const sized = await run(engine, id, commands.size, { tty: true, resizes: resizes(), timeoutMs: 10_000 })
    expect(sized.stdout.trim().split('\r\n').at(-1)).to.equal('40 100')
  },

  'kills a command when the signal fires, when its time is up, and when its reader fails': async ({
    engine,
    fixture,
    toRequest
  }) => {
    const request = toRequest([fixture.container('a')])
    await engine.deploy(request)
    const { workloadId: id } = request
    const word = String(900_000 + Math.floor(performance.now()))
    const command = fixture.commands.hang(word)
    const reason = new RangeError('enough')
    const controller = new AbortController()
    const aborted = errorOf(run(engine, id, command, { signal: controller.signal }))
    const late = errorOf(run(engine, id, command, { timeoutMs: 700 }))
    const onOutput = () => Promise.reject(reason)
    const failed = errorOf(engine.exec(id, { command: fixture.commands.fail, onOutput }))
    setTimeout(() => controller.abort(reason), 300)
    expect(await aborted).to.equal(reason)
    expect((await late)?.code).to.equal('EXEC_TIMEOUT')
    expect(await failed).to.equal(reason)
    for (let tries = 0; ((await fixture.countProcesses(word)) ?? 0) > 0; tries++) {
      if (tries > 40) expect.fail('the command still runs')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect((await engine.status(id))?.state).to.equal('running')
  },

  'runs no command in a container that has ended': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([fixture.container('a', { exitCode: 0 })])
    await engine.deploy(request)
    await until(engine, request.workloadId, ({ state }) => state === 'stopped')
    const error = await errorOf(run(engine, request.workloadId, fixture.commands.fail))
    expect(error?.code).to.equal('EXEC_FAILED')
  },

  'waits with a command while its reader is busy': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([fixture.container('a')])
    await engine.deploy(request)
    let busy = false
    async function* stdin() {
      for (let i = 0; i < 20; i++) yield new Uint8Array(10_000)
    }
    let bytes = 0
    const onOutput = async (_: string, chunk: Uint8Array) => {
      expect(busy, 'called while the last promise is pending').to.equal(false)
      busy = true
      await new Promise((resolve) => setTimeout(resolve, 5))
      busy = false
      bytes += chunk.length
    }
    await engine.exec(request.workloadId, { command: fixture.commands.echo, stdin: stdin(), onOutput })
    expect(bytes).to.equal(200_000)
  },

  'counts what a workload uses': async ({ engine, fixture, toRequest }) => {
    const resources = { limits: { memory: '64Mi', cpu: '500m' } }
    const { container, port } = fixture.webContainer('web')
    const request = toRequest([
      { ...container, resources },
      { ...fixture.container('a'), resources }
    ])
    const ended = toRequest([fixture.container('a', { exitCode: 0 })])
    const [{ address }] = await Promise.all([engine.deploy(request), engine.deploy(ended)])
    await until(engine, ended.workloadId, ({ state }) => state === 'stopped')
    await fetchSoon(`http://${address}:${port}/`)
    const ids = [request.workloadId, ended.workloadId]
    const [stats, ...others] = await engine.stats(ids)
    expect(others, 'the one that has ended is left out').to.deep.equal([])
    expect(stats).to.include({ workloadId: request.workloadId, memoryLimitBytes: 128 * 2 ** 20 })
    expect(stats!.atMs).to.be.closeTo(Date.now(), 5_000)
    expect(stats!.cpuNanos).to.be.within(1, 60e9)
    expect(stats!.memoryBytes).to.be.within(10_000, 128 * 2 ** 20)
    expect(stats!.pids).to.be.within(2, 20)
    for (const name of ['networkRxBytes', 'networkTxBytes', 'blockReadBytes', 'blockWriteBytes'] as const)
      expect(stats![name]).to.be.within(0, 100e6)
    const all = await engine.stats().catch(() => engine.stats()) // others may be at work here, and slow
    expect(all.map(({ workloadId }) => workloadId)).to.include(request.workloadId)
  },

  'runs without a network but loopback where it is told to': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([fixture.container('a'), fixture.container('b')], { network: 'none' })
    await engine.deploy(request)
    const { stdout } = await run(engine, request.workloadId, fixture.commands.interfaces, { container: 'b' })
    expect(stdout.trim()).to.be.oneOf(['lo', ''])
    expect((await engine.status(request.workloadId))?.state).to.equal('running')
  },

  'names the processes that a workload ends with': async ({ engine, fixture, toRequest }) => {
    if (engine.name === 'mock') return // it has none
    const request = toRequest([fixture.container('a'), fixture.container('b')])
    expect(await engine.processes(request.workloadId)).to.deep.equal([])
    await engine.deploy(request)
    const processes = await engine.processes(request.workloadId)
    expect(processes.length).to.be.at.least(2)
    for (const { pid, startTicks: started } of processes) expect(startTicks(pid)).to.equal(started)
    for (const { pid } of processes) process.kill(pid, 'SIGKILL')
    await until(engine, request.workloadId, ({ containers }) =>
      containers.every(({ state }) => state !== 'running')
    )
  },

  'bounds the processes of a container': async ({ engine, fixture, toRequest }) => {
    const request = toRequest([fixture.container('a', { processes: 200 })], { pidsLimit: 30 })
    const other = toRequest([fixture.container('a')])
    await Promise.all([engine.deploy(request), engine.deploy(other)])
    const countOf = async (id: string) => (await engine.stats([id]))[0]?.pids ?? 0
    for (let tries = 0; (await countOf(request.workloadId)) < 20; tries++) {
      if (tries > 200) expect.fail('the processes were not started')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await countOf(request.workloadId)).to.be.at.most(30)
    await engine.restart(request.workloadId, 'a')
    for (let tries = 0; (await countOf(request.workloadId)) < 20; tries++) {
      if (tries > 200)
        expect.fail(`not started again: ${JSON.stringify(await engine.status(request.workloadId))}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await countOf(request.workloadId)).to.be.at.most(30)
    expect((await engine.status(request.workloadId))?.labels).to.deep.equal({})
    expect(await countOf(other.workloadId)).to.be.at.most(5)
  },

  'tells what was killed for its memory from what was killed': async ({ engine, fixture, toRequest }) => {
    const killed = toRequest([fixture.container('a')])
    const starved = toRequest([fixture.container('a', { outOfMemory: true })])
    await Promise.all([engine.deploy(killed), engine.deploy(starved)])
    await fixture.endContainer(killed.workloadId, 'a', 'SIGKILL')
    const [one, two] = await Promise.all(
      [killed, starved].map(({ workloadId }) => until(engine, workloadId, ({ state }) => state === 'failed'))
    )
    expect(one?.containers[0]).to.include({ exitCode: 137, signal: 'SIGKILL', oomKilled: false })
    expect(two?.containers[0]).to.include({ exitCode: 137, signal: 'SIGKILL', oomKilled: true })
    expect(two?.message).to.contain('memory')
  },

  'is reached by its address from this machine, without a published port': async ({
    engine,
    fixture,
    toRequest
  }) => {
    const { container, port } = fixture.webContainer('web')
    const { address, ports } = await engine.deploy(toRequest([container]))
    expect(ports).to.deep.equal([])
    expect(await fetchSoon(`http://${address}:${port}/`)).to.contain('hello from beemesh')
  }
}

/** A server has its address before it listens. */
async function fetchSoon(url: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    try {
      return await (await fetch(url, { signal: AbortSignal.timeout(2_000) })).text()
    } catch (error) {
      if (tries === 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

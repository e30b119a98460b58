import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { bootClockMs, Guard, startTicks } from '../../../src/runtime/index.ts'
import { DEMO_IMAGE, podman, requirePodman } from '../../fixtures/podman.ts'
import { until } from '../../fixtures/until.ts'

describe('guard of real containers', function () {
  this.timeout(40_000)
  const name = `guard-test-${process.pid}`
  let dir: string

  before(function () {
    return requirePodman(this)
  })
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'guard-'))
  })
  afterEach(async () => {
    await podman('rm', '--force', '--ignore', '--time', '0', `${name}-main`, `${name}-other`, 'other-main')
    await rm(dir, { recursive: true, force: true })
  })

  const run = async (container: string): Promise<number> => {
    await podman('run', '--detach', '--name', container, '--pull', 'never', DEMO_IMAGE, 'sleep', '3600')
    return Number(await podman('inspect', '--format', '{{.State.Pid}}', container))
  }
  /** Starts one that the guard kills, maybe before podman has started it, which then fails. */
  const runDoomed = async (container: string): Promise<void> => {
    const pid = await run(container).catch(() => undefined)
    if (pid !== undefined) await gone(pid)
    const state = await podman('inspect', '--format', '{{.State.Running}}', container).catch(() => 'false')
    expect(state, container).to.equal('false')
  }
  const gone = (pid: number) =>
    until(`until ${pid} is gone`, () => (startTicks(pid) === undefined ? true : undefined))

  it('kills what a start has brought about whose daemon died before it knew any process', async () => {
    // given
    const guard = new Guard(dir)
    await guard.set(name, { untilMs: bootClockMs() + 100, processes: [], isStarting: true })
    await guard.ensure()
    // when
    await runDoomed(`${name}-main`)
    const other = await run('other-main')
    // then
    await runDoomed(`${name}-other`) // whatever the engine still had to do
    expect(startTicks(other), 'of somebody else').to.be.a('number')
    expect(await guard.killed(), 'it goes on looking').to.deep.equal([])
  })

  it('kills by cgroup what has no process ID of its own there', async () => {
    // given
    const pid = await run(`${name}-main`)
    const id = await podman('inspect', '--format', '{{.Id}}', `${name}-main`)
    const line = (await readFile(`/proc/${pid}/cgroup`, 'utf8'))
      .split('\n')
      .find((one) => /pids|^0::/.test(one))!
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line)!
    expect(path).to.include(id)
    const cgroup = join('/sys/fs/cgroup', controllers!, path!)
    const guard = new Guard(dir)
    // when
    await guard.set('x', { untilMs: 10, isStarting: false, processes: [{ pid, startTicks: 1, cgroup }] })
    await guard.ensure()
    // then
    await gone(pid)
    await until('until it says so', async () => ((await guard.killed()).includes('x') ? true : undefined))
  })
})

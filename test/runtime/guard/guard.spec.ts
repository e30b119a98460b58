import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { bootClockMs, Guard, startTicks } from '../../../src/runtime/index.ts'
import { until } from '../../fixtures/until.ts'

const SRC = pathToFileURL(join(import.meta.dirname, '../../../src/runtime/guard/index.ts')).href

describe('guard', function () {
  this.timeout(20_000)
  let dir: string
  let guard: Guard
  const children: ChildProcess[] = []

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'guard-'))
    guard = new Guard(dir)
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await rm(dir, { recursive: true, force: true }) // which also ends a guard whose daemon lives
    const pid = guardPid()
    if (pid > 1 && startTicks(pid) !== undefined) process.kill(pid, 'SIGKILL')
    lastPid = 0
  })

  let lastPid = 0
  const guardPid = () => {
    if (existsSync(join(dir, 'guard.pid')))
      lastPid = Number(readFileSync(join(dir, 'guard.pid'), 'utf8').split(' ')[0])
    return lastPid
  }
  const start = async (command: string, ...args: string[]) => {
    const child = spawn(command, args, { stdio: 'ignore' })
    await once(child, 'spawn')
    children.push(child)
    return child
  }
  const processOf = ({ pid }: ChildProcess) => ({ pid: pid!, startTicks: startTicks(pid!)! })
  const isGone = ({ pid }: ChildProcess) => (startTicks(pid!) === undefined ? true : undefined)

  it('kills what a lease names when it is over, and says so; not before', async () => {
    // given
    const child = await start('sleep', '60')
    const untilMs = bootClockMs() + 1_500
    await guard.set('web-0', { untilMs, processes: [processOf(child)], isStarting: false })
    // when
    await guard.ensure()
    const [, signal] = await once(child, 'exit')
    const atMs = bootClockMs()
    // then
    expect(signal).to.equal('SIGKILL')
    expect(atMs).to.be.within(untilMs - 10, untilMs + 1_200)
    await until('until it says so', async () => ((await guard.killed()).includes('web-0') ? true : undefined))
    expect(await guard.untilMs('web-0')).to.equal(undefined)
    await guard.forget('web-0')
    expect(await guard.names()).to.deep.equal([])
  })

  it('leaves a process alone whose PID was somebody else’s when the lease was written', async () => {
    // given
    const innocent = await start('sleep', '60')
    const doomed = await start('sleep', '60')
    const { pid, startTicks: began } = processOf(innocent)
    const untilMs = bootClockMs()
    // when
    await guard.set('web-0', { untilMs, processes: [{ pid, startTicks: began - 1 }], isStarting: false })
    await guard.set('web-1', { untilMs, processes: [processOf(doomed)], isStarting: false })
    await guard.ensure()
    await until('until both were judged', async () =>
      (await guard.killed()).length === 2 ? true : undefined
    )
    // then
    expect(isGone(doomed)).to.equal(true)
    expect(isGone(innocent)).to.equal(undefined)
  })

  it('a lease that is renewed in time goes on', async () => {
    // given
    const child = await start('sleep', '60')
    const processes = [processOf(child)]
    await guard.set('web-0', { untilMs: bootClockMs() + 1_500, processes, isStarting: false })
    await guard.ensure()
    const other = await start('sleep', '60')
    const otherLease = { untilMs: bootClockMs() + 3_000, processes: [processOf(other)], isStarting: false }
    await guard.set('other', otherLease)
    // when
    await guard.set('web-0', { untilMs: bootClockMs() + 60_000, processes, isStarting: false })
    await once(other, 'exit') // by then the first lease of web-0 would have been over for long
    // then
    expect(isGone(child)).to.equal(undefined)
  })

  it('takes nothing of what it reads for a command, and nothing outside of the cgroups', async () => {
    // given
    const child = await start('sleep', '60')
    const mark = join(dir, 'mark')
    const lines = [
      `pid $(touch ${mark}) 1`,
      `pid ${child.pid} \`touch ${mark}\``,
      `cgroup /sys/fs/cgroup/../../tmp/$(touch ${mark})`,
      `cgroup ${dir}`,
      `monitor -e;touch ${mark}`,
      `; touch ${mark}`,
      'pid 1 1',
      'pid 99999999999999999999 1'
    ]
    await writeFile(join(dir, 'cgroup.procs'), `${child.pid}\n`)
    await writeFile(join(dir, 'web-0.lease'), `1\n${lines.join('\n')}\n`)
    await writeFile(join(dir, 'bad.lease'), `$(touch ${mark})\npid ${child.pid} ${startTicks(child.pid!)}\n`)
    // when
    await guard.ensure()
    await until('until it was judged', async () =>
      (await guard.killed()).includes('web-0') ? true : undefined
    )
    // then
    expect(existsSync(mark)).to.equal(false)
    expect(isGone(child)).to.equal(undefined)
  })

  it('one guard a node: the one that runs is taken over', async () => {
    await guard.ensure()
    const first = guardPid()
    await new Guard(dir).ensure()
    expect(guardPid()).to.equal(first)
    expect(startTicks(first)).to.be.a('number')
  })

  for (const fate of ['SIGKILL', 'SIGSTOP'] as const)
    it(`does its work when the daemon gets ${fate}${fate === 'SIGKILL' ? ', and then ends itself' : ''}`, async () => {
      // given
      const child = await start('sleep', '60')
      const { pid, startTicks: began } = processOf(child)
      const code = `
        const { Guard, bootClockMs } = await import(${JSON.stringify(SRC)})
        const guard = new Guard(${JSON.stringify(dir)})
        await guard.ensure()
        const lease = () => guard.set('web-0', { untilMs: bootClockMs() + 2_000, isStarting: false,
          processes: [{ pid: ${pid}, startTicks: ${began} }] })
        await lease()
        setInterval(lease, 500)
        process.send('ready')`
      const daemon = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc']
      })
      children.push(daemon)
      await once(daemon, 'message')
      // when
      daemon.kill(fate)
      const fromMs = bootClockMs()
      await once(child, 'exit')
      // then
      expect(bootClockMs() - fromMs).to.be.below(2_000 + 1_500)
      await until('until it says so', async () =>
        (await guard.killed()).includes('web-0') ? true : undefined
      )
      if (fate === 'SIGKILL')
        await until('until the guard has ended', () =>
          startTicks(guardPid()) === undefined ? true : undefined
        )
      else expect(startTicks(guardPid())).to.be.a('number')
    })
})

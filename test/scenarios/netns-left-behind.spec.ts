import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { Hosts, requireHosts } from '../fixtures/hosts.ts'
import { ROOT } from '../fixtures/test-home.ts'

const MAKER = `
  const { Hosts } = await import(${JSON.stringify(join(ROOT, 'test/fixtures/hosts.ts'))})
  console.log((await Hosts.up(1)).dir)
  setInterval(() => {}, 1_000)`

describe('scenario: machines of a test run that was killed', () => {
  let maker: ChildProcess | undefined
  let left: string
  let hosts: Hosts | undefined

  before(async function () {
    await requireHosts(this)
    const argv = ['--no-warnings', '--input-type=module', '--eval', MAKER]
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    maker = child
    const [dir] = await once(createInterface({ input: child.stdout! }), 'line')
    left = dir as string
  })
  after(async () => {
    maker?.kill('SIGTERM')
    await hosts?.down()
  })

  it('are left alone while it lives', async () => {
    const other = await Hosts.up(1).catch((error: Error) => error)
    expect(other).to.be.an('error').with.property('message').that.includes(`hosts.sh down ${left}`)
    expect(existsSync(left)).to.equal(true)
  })

  it('are ended by the next one', async () => {
    maker!.kill('SIGKILL')
    await once(maker!, 'exit')
    hosts = await Hosts.up(1)
    expect(existsSync(left)).to.equal(false)
    expect((await hosts.exec(1, ['hostname', '-I'])).stdout).to.contain(hosts.address(1))
  })
})

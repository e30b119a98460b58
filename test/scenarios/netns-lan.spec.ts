import { expect } from 'chai'
import { expectDone } from '../fixtures/cli-schemas.ts'
import { Hosts, requireHosts } from '../fixtures/hosts.ts'
import { Machine } from '../fixtures/hosts-machine.ts'
import { until } from '../fixtures/until.ts'

describe('scenario: machines on one LAN, told nothing of each other', function () {
  this.timeout(30_000)
  let hosts: Hosts | undefined

  before(async function () {
    await requireHosts(this)
    hosts = await Hosts.up(3)
  })

  after(() => hosts?.down())

  it('find those of their network by mDNS, and nobody else', async () => {
    // given: two of one network, one of another
    const [one, two, other] = ['one', 'two', 'other'].map((name, at) => new Machine(hosts!, at + 1, name))
    for (const machine of [one!, two!, other!]) machine.env.BEEMESH_MDNS = 'true'
    const start = (machine: Machine) => machine.startNode(['--engine', 'mock'])
    await Promise.all([start(one!), start(other!)])
    await one!.copyKeysTo(two!)
    // when
    await start(two!)
    // then
    const names = async (machine: Machine) => {
      const { nodes } = expectDone(await machine.cli(['get', 'nodes', '--all']), 'get-nodes')
      return nodes
        .filter(({ connected }: { connected: boolean }) => connected)
        .map(({ name }: { name: string }) => name)
    }
    await until('until they meet', async () => (await names(one!)).length === 2 || undefined)
    expect(await names(one!)).to.have.members(['one', 'two'])
    expect(await names(two!)).to.have.members(['one', 'two'])
    expect(await names(other!)).to.deep.equal(['other'])
  })
})

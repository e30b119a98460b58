import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ConfigInput } from '../../src/config/index.ts'
import { type BeemeshNode, createNode } from '../../src/node/index.ts'
import type { ReachService } from '../../src/reach/index.ts'
import { createLogger } from '../../src/telemetry/index.ts'
import { until } from '../fixtures/until.ts'

function withoutPeer(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}

describe('reach: places at relays', function () {
  this.timeout(20_000)
  let path: string
  const running: BeemeshNode[] = []

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'bmr-'))
  })

  afterEach(async () => {
    await Promise.all(running.splice(0).map((node) => node.stop()))
    await rm(path, { recursive: true, force: true, maxRetries: 3 })
  })

  const start = async (name: string, config: ConfigInput): Promise<BeemeshNode> => {
    const base = {
      name,
      dataDir: join(path, name),
      identity: join(path, 'identity'),
      engine: 'mock'
    } as const
    const node = await createNode(
      { network: 'reach', ...base, ...config },
      { logger: createLogger('silent'), runtimeDir: join(path, 'run') }
    )
    running.push(node)
    await node.start()
    return node
  }
  const relaysOf = (node: BeemeshNode) => (node.services as unknown as { reach: ReachService }).reach.relays()
  const told = (node: BeemeshNode) => node.services.members.self().addresses
  const joinThrough = (...relays: BeemeshNode[]) => ({
    relay: 'use' as const,
    bootstrap: relays.map((relay) => relay.addresses()[0]!)
  })

  it('are taken at two relays, told to others, and no more told when the relay is gone', async () => {
    // given
    const relays = await Promise.all(['r1', 'r2', 'r3'].map((name) => start(name, { role: 'bootstrap' })))
    const node = await start('node', joinThrough(...relays))
    await until('until it has two places', () => relaysOf(node).length === 2 || undefined)
    const [first] = relays.filter(({ peerId }) => relaysOf(node).includes(peerId))
    const through = `${first!.addresses()[0]}/p2p-circuit`
    await until('until it says so', () => told(node).includes(through) || undefined)
    // when
    await first!.stop()
    // then: the third takes its place
    await until('until it says no more', () => !told(node).includes(through) || undefined)
    await until('until it has two again', () => relaysOf(node).length === 2 || undefined)
    expect(relaysOf(node)).not.to.include(first!.peerId)
  })

  it('are told under addresses that others can dial, also when the relay itself dialled after its restart', async () => {
    // given
    const before = await start('relay', { role: 'bootstrap' })
    const node = await start('node', { ...joinThrough(before), bootstrap: [] })
    await node.libp2p.dial(before.libp2p.getMultiaddrs())
    const [address] = before.addresses()
    await until('until it says so', () => told(node).includes(`${address}/p2p-circuit`) || undefined)
    await until('until the relay knows it', () => before.services.members.get(node.peerId))
    // when
    running.splice(running.indexOf(before), 1)
    await before.stop()
    const after = await start('relay', { role: 'bootstrap' })
    // then
    expect(after.addresses()).to.deep.equal([address])
    expect(told(after)).to.deep.equal([withoutPeer(address!)])
    await until('until it says so again', () => told(node).includes(`${address}/p2p-circuit`) || undefined)
    expect(told(node)).to.have.length(2)
  })

  it('are refused by a relay that is full, and taken when there is room', async () => {
    // given
    const relay = await start('relay', { role: 'bootstrap', relayReservations: 1 })
    const one = await start('one', joinThrough(relay))
    await until('until one has a place', () => relaysOf(one).length === 1 || undefined)
    const two = await start('two', joinThrough(relay))
    await until(
      'until two is connected',
      () =>
        two.libp2p.getConnections().some(({ remotePeer }) => remotePeer.toString() === relay.peerId) ||
        undefined
    )
    expect(relaysOf(two)).to.deep.equal([])
    // when
    await one.stop()
    // then
    await until('until two has it', () => relaysOf(two).length === 1 || undefined)
  })

  it('are not asked for by a node on loopback that was not told to', async () => {
    const relay = await start('relay', { role: 'bootstrap' })
    const node = await start('node', { bootstrap: [relay.addresses()[0]!] })
    await until('until it is connected', () => node.libp2p.getConnections().length > 0 || undefined)
    expect(relaysOf(node)).to.deep.equal([])
    expect(told(node).filter((address) => address.includes('/p2p-circuit'))).to.deep.equal([])
  })
})

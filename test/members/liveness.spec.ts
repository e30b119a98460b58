import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { decode, PROBE_ANSWER } from '../../src/envelope/index.ts'
import { encodeMemberList, encodeProbe, encodeProbeAnswer, PROBE } from '../../src/generated/fbs/index.ts'
import { networkTag } from '../../src/identity/index.ts'
import { VOUCHED_INTERVAL_MS } from '../../src/members/detector/constants.ts'
import { signNodeStatement } from '../../src/members/index.ts'
import { PROBE_PROTOCOL, protocolId, streamChannel } from '../../src/wire/index.ts'
import { createMembers, describeNode, type MemberNode, NETWORK } from '../fixtures/create-members.ts'
import { until } from '../fixtures/until.ts'

const PROBE_ID = protocolId(networkTag(NETWORK), PROBE_PROTOCOL.name)

const stateOf = (node: MemberNode, of: MemberNode) => node.members.get(of.peerId)?.state

async function close(nodes: readonly MemberNode[]): Promise<void> {
  await Promise.all(nodes.map(({ libp2p }) => libp2p.stop()))
}

/** Both sides refuse, because one that is refused by the other side only has reached it, as far as it knows. */
function sever(one: MemberNode, ...others: readonly MemberNode[]): void {
  one.block(...others)
  for (const other of others) other.block(one)
}

describe('members: who is there, over libp2p', function () {
  this.timeout(30_000)
  let nodes: MemberNode[] = []
  let [anna, bert, cyd] = nodes as [MemberNode, MemberNode, MemberNode]

  beforeEach(async () => {
    nodes = await createMembers('anna', 'bert', 'cyd')
    ;[anna, bert, cyd] = nodes as [MemberNode, MemberNode, MemberNode]
  })
  afterEach(() => close(nodes))

  it('nobody is called dead when anna and bert cannot see each other and cyd sees both; healed, they meet again', async () => {
    // when: every connection between the two is cut and none comes about again
    sever(anna, bert)
    await until(
      'until both are suspected',
      () => (anna.events.length > 0 && bert.events.length > 0) || undefined
    )
    // then: for longer than it takes to try again
    await sleep(VOUCHED_INTERVAL_MS + 2_500)
    expect(anna.events).to.deep.equal(['suspect bert', 'alive bert'])
    expect(bert.events).to.deep.equal(['suspect anna', 'alive anna'])
    expect(cyd.events).to.deep.equal([])
    expect(anna.members.get(bert.peerId)).to.include({ state: 'alive', connected: false })
    // and when it heals
    anna.unblock()
    bert.unblock()
    await until('until they are connected', () => anna.members.get(bert.peerId)?.connected || undefined)
    expect([...anna.events, ...bert.events].filter((event) => event.startsWith('dead'))).to.deep.equal([])
  })

  it('everybody calls bert dead once nobody sees him, and alive when he is back', async () => {
    sever(bert, anna, cyd)
    await until(
      'until he is dead',
      () => [anna, cyd].every((node) => stateOf(node, bert) === 'dead') || undefined
    )
    expect(stateOf(anna, cyd)).to.equal('alive')
    expect(anna.members.get(bert.peerId), 'still shown').to.include({ name: 'bert', connected: false })
    for (const node of nodes) node.unblock()
    await bert.libp2p.dial(anna.libp2p.getMultiaddrs())
    await until(
      'until he is alive',
      () => [anna, cyd].every((node) => stateOf(node, bert) === 'alive') || undefined
    )
  })

  it('a member that stops in order has left, for everybody, and is neither suspect nor dead', async () => {
    await bert.libp2p.stop()
    await until(
      'until he has left',
      () => [anna, cyd].every((node) => stateOf(node, bert) === 'left') || undefined
    )
    await sleep(1_500)
    for (const node of [anna, cyd]) expect(node.events).to.deep.equal(['left bert'])
    expect(anna.members.get(bert.peerId)).to.include({ connected: false, scheduling: false })
    await bert.libp2p.start()
    await bert.libp2p.dial(anna.libp2p.getMultiaddrs())
    await until('until he is back', () => stateOf(anna, bert) === 'alive' || undefined)
  })

  it('a hostile member that claims and asks nonsense kills nobody', async () => {
    const { libp2p, key } = cyd
    // given: cyd says in every way it can that bert is gone
    const forged = signNodeStatement(
      { ...describeNode('bert'), addresses: [] },
      { key, networkId: NETWORK.id, nowMs: Date.now() + 1, leaving: true }
    )
    const { statement } = bert.members.self()
    const changed = Uint8Array.from(statement)
    changed[changed.length - 1]! ^= 1
    const answers = await askMany(cyd, anna, bert)
    await libp2p.unhandle(PROBE_ID)
    await libp2p.handle(PROBE_ID, async (stream) => {
      const channel = await streamChannel(stream, 4_096)
      for (;;) {
        const frame = await channel.read().catch(() => undefined)
        if (frame === undefined) return
        const { id } = decode(PROBE, frame)
        await channel.write(encodeProbeAnswer({ id: id + 7, proof: new Uint8Array(64).fill(1) }))
        await channel.write(encodeProbeAnswer({ id, proof: new Uint8Array(64) }))
      }
    })
    // when: probes of everything that is not a probe, and more than the budget
    const frames = [
      encodeProbe({ id: 1, target: bert.key.publicKey }),
      encodeProbe({ id: 2, target: anna.key.publicKey, challenge: new Uint8Array(16) }),
      encodeProbe({ id: 3, target: new Uint8Array(32), challenge: new Uint8Array(16) }),
      encodeProbe({ id: 4, asker: new Uint8Array(32), challenge: new Uint8Array(16) }),
      encodeProbe({ id: 5, target: key.publicKey, asker: key.publicKey, challenge: new Uint8Array(16) }),
      encodeMemberList({
        members: [
          { statement: changed, state: 'dead' },
          { statement: forged, state: 'dead' }
        ]
      }),
      new Uint8Array(200).fill(255),
      new Uint8Array(1_000)
    ]
    for (let round = 0; round < 60; round++)
      for (const frame of frames) {
        const stream = await libp2p.dialProtocol(anna.libp2p.peerId, PROBE_ID).catch(() => undefined)
        if (stream === undefined) continue
        const channel = await streamChannel(stream, 4_096)
        await channel.write(frame).catch(() => {})
        if (round % 2 === 0) channel.abort(new Error('next'))
        else await channel.close()
      }
    await sleep(3_000)
    // then
    expect(stateOf(anna, bert)).to.equal('alive')
    expect(stateOf(bert, anna)).to.equal('alive')
    expect([...anna.events, ...bert.events].filter((event) => /anna|bert/.test(event))).to.deep.equal([])
    expect(
      answers.filter((proof) => proof),
      'no more than the budget'
    ).to.have.length.within(64, 75)
    // and cannot keep a dead one alive either
    sever(bert, anna, cyd)
    await until('until bert is dead', () => stateOf(anna, bert) === 'dead' || undefined)
  })
})

/** As fast as one may: 90 probes of a target on one stream. */
async function askMany(from: MemberNode, through: MemberNode, target: MemberNode): Promise<boolean[]> {
  const stream = await from.libp2p.dialProtocol(through.libp2p.peerId, PROBE_ID)
  const channel = await streamChannel(stream, 4_096)
  const proofs: boolean[] = []
  for (let id = 1; id <= 90; id++)
    await channel
      .write(encodeProbe({ id, target: target.key.publicKey, challenge: new Uint8Array(16).fill(id) }))
      .catch(() => {})

  const signal = AbortSignal.timeout(1_500)
  for (;;) {
    const frame = await channel.read({ signal }).catch(() => undefined)
    if (frame === undefined) break
    proofs.push(decode(PROBE_ANSWER, frame).proof !== undefined)
  }
  channel.abort(new Error('done'))
  return proofs
}

import { expect } from 'chai'
import { MAX_NODE_EVENTS } from '../../src/members/constants.ts'
import type { NodeEvent, NodeView } from '../../src/members/index.ts'
import { NodeEvents } from '../../src/members/node-events.ts'

describe('members: what happens to nodes', () => {
  let told: NodeEvent[]
  let events: NodeEvents
  const node = (bootId: number, more: Partial<NodeView> = {}) =>
    ({
      peerId: 'anna-id',
      name: 'anna',
      bootId: new Uint8Array(16).fill(bootId),
      leaving: false,
      issuedAtMs: 7_000,
      startedAtMs: 1_000 * bootId,
      ...more
    }) as NodeView
  const types = () => told.map(({ type }) => type)

  beforeEach(() => {
    told = []
    events = new NodeEvents({ now: () => 9_000, onEvent: (event) => told.push(event) })
  })

  it('is that it joins when it is heard of first, and when it has started again', () => {
    events.said(node(1), undefined)
    events.said(node(1), node(1))
    events.said(node(2), node(1))
    expect(told).to.deep.equal([
      { type: 'joined', atMs: 1_000, peerId: 'anna-id', name: 'anna' },
      { type: 'joined', atMs: 2_000, peerId: 'anna-id', name: 'anna' }
    ])
    expect(events.recent()).to.deep.equal(told)
  })

  it('is that it leaves, once, and joins again also under the same start', () => {
    const gone = node(1, { leaving: true })
    events.said(node(1), undefined)
    events.said(gone, node(1))
    events.said(gone, gone)
    events.became('dead', node(1))
    events.said(node(1), gone)
    expect(types()).to.deep.equal(['joined', 'left', 'joined'])
    expect(told[1]!.atMs).to.equal(7_000)
  })

  it('is that it is called dead, and is back; not back when it has joined anew', () => {
    events.said(node(1), undefined)
    events.became('suspect', node(1))
    events.became('dead', node(1))
    events.became('dead', node(1))
    events.became('alive', node(1))
    events.became('dead', node(1))
    events.said(node(2), node(1))
    events.became('alive', node(2))
    expect(types()).to.deep.equal(['joined', 'dead', 'back', 'dead', 'joined'])
  })

  it('says nothing of a node that had left before it was heard of', () => {
    events.said(node(1, { leaving: true }), undefined)
    expect(told).to.deep.equal([])
  })

  it('is remembered in a bounded number', () => {
    for (let index = 0; index < MAX_NODE_EVENTS + 5; index++) events.said(node(index % 250), undefined)
    expect(events.recent()).to.have.lengthOf(MAX_NODE_EVENTS)
  })
})

import { expect } from 'chai'
import { plan } from '../../../src/scheduler/plan/index.ts'
import { GiB, MiB, node, nodesOf, planFor, ROOM, request, said, seeded, taken } from './fixtures.ts'

const ONE = { ordinals: [0] }
const free = (fields: Partial<typeof ROOM>) => ({ free: { ...ROOM, ...fields } })
const partsOf = (result: ReturnType<typeof plan>, name: string) =>
  Object.fromEntries(
    result.explained.find((one) => one.name === name)!.parts.map(({ name: part, points }) => [part, points])
  )

describe('scheduler/plan: auto', () => {
  it('adds up base, CPU, memory, load and datacenter as documented', () => {
    const near = { region: 'eu', zone: 'a' }
    const idle = node('idle', { labels: near, load: 0 })
    const busy = node('busy', {
      labels: { region: 'us' },
      load: 1,
      ...free({ cpuMillis: 500, memoryBytes: 512 * MiB })
    })
    const result = plan({ candidates: [idle, busy], nearLabels: near }, request({}, ONE), seeded(1))
    expect(partsOf(result, 'idle')).to.deep.equal({
      base: 100,
      cpu: 26,
      memory: 28,
      load: 10,
      datacenter: 20
    })
    expect(partsOf(result, 'busy')).to.deep.equal({
      base: 100,
      cpu: 0,
      memory: 0,
      load: -10,
      datacenter: -20
    })
    expect(result.explained.map(({ name, verdict, score }) => [name, verdict, score])).to.deep.equal([
      ['busy', 'fits', 70],
      ['idle', 'taken', 184]
    ])
  })

  it('takes a zone of the same region before one of another region', () => {
    const nodes = [
      node('far', { labels: { region: 'us', zone: 'a' } }),
      node('next', { labels: { region: 'eu', zone: 'b' } }),
      node('unknown')
    ]
    const snapshot = { candidates: nodes, nearLabels: { region: 'eu', zone: 'a' } }
    const result = plan(snapshot, request({}, { ordinals: [0, 1, 2] }), seeded(1))
    expect(nodesOf(result)).to.deep.equal({ 0: 'next', 1: 'unknown', 2: 'far' })
  })

  it('does not stack copies while another node fits, however full and far that one is', () => {
    const full = node('full', {
      load: 1,
      labels: { region: 'us' },
      ...free({ cpuMillis: 500, memoryBytes: 512 * MiB })
    })
    const snapshot = {
      candidates: [node('idle', { labels: { region: 'eu' } }), full],
      nearLabels: { region: 'eu' }
    }
    const result = plan(snapshot, request(), seeded(1))
    expect(nodesOf(result)).to.deep.equal({ 0: 'idle', 1: 'full', 2: 'idle' })
    expect(partsOf(result, 'idle')).to.include({ copies: -130 })
  })

  it('counts copies that run already', () => {
    const result = planFor(
      [node('a', { ordinals: [0] }), node('b', { load: 1 })],
      request({}, { ordinals: [1] })
    )
    expect(nodesOf(result)).to.deep.equal({ 1: 'b' })
  })

  it('takes the more reliable one of two that score the same, and else either', () => {
    const flaky = [
      node('a', { reliability: 0.5 }),
      node('b', { reliability: 0.96 }),
      node('c', { reliability: 0.2 })
    ]
    for (let seed = 0; seed < 20; seed += 1)
      expect(taken(planFor(flaky, request({}, ONE), seed))).to.deep.equal(['b'])
    const equal = [node('a'), node('b')]
    const seen = new Set(
      Array.from({ length: 50 }, (_, seed) => taken(planFor(equal, request({}, ONE), seed))[0])
    )
    expect([...seen].sort()).to.deep.equal(['a', 'b'])
  })

  it('prefers what the manifest prefers, by weight', () => {
    const term = (key: string) => ({
      expressions: [{ key, operator: 'Exists', values: [] } as const],
      fields: []
    })
    const preferredTerms = [
      { weight: 80, term: term('ssd') },
      { weight: 20, term: term('new') }
    ]
    const nodes = [
      node('both', { labels: { ssd: '', new: '' }, load: 1 }),
      node('new', { labels: { new: '' } }),
      node('none')
    ]
    const result = planFor(nodes, request({ preferredTerms }))
    expect(nodesOf(result)).to.deep.equal({ 0: 'both', 1: 'new', 2: 'none' })
    expect(['both', 'new', 'none'].map((name) => partsOf(result, name).preferred)).to.deep.equal([60, 12, 0])
  })

  it('takes a node with a PreferNoSchedule taint after all others, and it is no worse when tolerated', () => {
    const labels = { 'taint.beemesh.io/old': ':PreferNoSchedule' }
    const nodes = [node('tainted', { labels }), node('other', { load: 1, ordinals: [7] })]
    const result = planFor(nodes, request())
    expect(nodesOf(result)).to.deep.equal({ 0: 'other', 1: 'tainted', 2: 'other' })
    const tolerant = request({ tolerations: [{ key: 'old', operator: 'Exists' }] }, ONE)
    expect(taken(planFor(nodes, tolerant))).to.deep.equal(['tainted'])
  })

  it('rather spreads and keeps apart where the manifest wishes it', () => {
    const zone = (name: string, value: string) => node(name, { labels: { zone: value } })
    const nodes = [zone('a1', 'a'), zone('a2', 'a'), node('b1', { labels: { zone: 'b' }, load: 1 })]
    const apart = [{ topologyKey: 'zone', required: false, weight: 1 }]
    const spread = [{ maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', required: false }]
    for (const rules of [{ apart }, { spread }]) {
      const result = planFor(nodes, request(rules, { ordinals: [0, 1] }))
      expect(taken(result).map((name) => name[0])).to.deep.equal(['a', 'b'])
    }
    expect(taken(planFor(nodes, request({}, { ordinals: [0, 1] })))).to.deep.equal(['a1', 'a2'])
  })
})

describe('scheduler/plan: spread', () => {
  const spread = { strategy: 'spread' } as const

  it('takes the node with the fewest copies first, whatever else speaks for another', () => {
    const nodes = [node('a', { ordinals: [5] }), node('b', { load: 1, ...free({ cpuMillis: 600, pods: 2 }) })]
    expect(nodesOf(planFor(nodes, request(spread, ONE)))).to.deep.equal({ 0: 'b' })
  })

  it('goes across zones among nodes with as many copies', () => {
    const zone = (name: string) => node(name, { labels: { zone: name[0]! } })
    const nodes = ['a1', 'a2', 'a3', 'b1', 'c1'].map(zone)
    for (let seed = 0; seed < 20; seed += 1) {
      const result = planFor(nodes, request(spread), seed)
      expect(taken(result).map((name) => name[0])).to.deep.equal(['a', 'b', 'c'])
    }
  })

  it('takes the node with the fewest pods of other manifests where copies and zones are equal', () => {
    const nodes = ['a', 'b', 'c'].map((name, index) => node(name, free({ pods: 50 + index })))
    expect(nodesOf(planFor(nodes, request(spread, { ordinals: [0, 1] })))).to.deep.equal({ 0: 'c', 1: 'b' })
  })
})

describe('scheduler/plan: manual', () => {
  const manual = (...nodes: string[]) => ({ strategy: 'manual', nodes }) as const

  it('takes the named nodes in their order, by name or peer ID, and again from the first', () => {
    const nodes = ['a', 'b', 'c'].map((name) => node(name))
    const result = planFor(nodes, request(manual('c', 'peer-a')))
    expect(nodesOf(result)).to.deep.equal({ 0: 'c', 1: 'a', 2: 'c' })
    expect(said(result, 'b')).to.include('none of the nodes that are named')
  })

  it('still needs the CPU and memory', () => {
    const nodes = [node('a', free({ memoryBytes: 100 * MiB })), node('b')]
    const result = planFor(nodes, request(manual('a', 'b'), ONE))
    expect(nodesOf(result)).to.deep.equal({ 0: 'b' })
    expect(said(result, 'a')).to.equal('lacks memory: 412 MiB short')
  })

  it('refuses a name that two nodes have', () => {
    const nodes = [node('a'), { ...node('a'), peerId: 'peer-x' }]
    expect(planFor(nodes, request(manual('a'), ONE)).summary).to.include('share a name; write the peer ID')
    expect(taken(planFor(nodes, request(manual('peer-x'), ONE)))).to.deep.equal(['x'])
  })
})

describe('scheduler/plan: datacenter', () => {
  const datacenter = { strategy: 'datacenter' } as const
  const zone = (name: string, fields = {}) =>
    node(name, { labels: { region: 'eu', zone: name[0]! }, ...fields })

  it('puts all copies into the one that can take the most, spread inside', () => {
    const small = free({ cpuMillis: 500 })
    const nodes = [zone('a1', small), zone('a2', small), zone('b1'), zone('b2'), zone('b3')]
    for (let seed = 0; seed < 10; seed += 1) {
      const result = planFor(nodes, request(datacenter), seed)
      expect(taken(result)).to.deep.equal(['b1', 'b2', 'b3'])
      expect(said(result, 'a1')).to.include('another datacenter: all copies go to eu/b')
    }
  })

  it('stays where copies are, and leaves over what does not fit there', () => {
    const nodes = [zone('a1', { ordinals: [9], ...free({ cpuMillis: 600 }) }), zone('b1'), zone('b2')]
    const result = planFor(nodes, request(datacenter))
    expect(nodesOf(result)).to.deep.equal({ 0: 'a1' })
    expect(result.unplaced).to.deep.equal([1, 2])
    expect(result.summary).to.equal(
      '2 of 3 copies find no node: 2 of 3 are in another datacenter than eu/a, 1 lacks cpu (closest a1: 400m short)'
    )
  })

  it('leaves one whose nodes are all cordoned', () => {
    const nodes = [zone('a1', { ordinals: [9], scheduling: false }), zone('b1')]
    expect(taken(planFor(nodes, request(datacenter, ONE)))).to.deep.equal(['b1'])
  })

  it('takes any of those that are equal', () => {
    const nodes = [zone('a1'), zone('b1'), node('c1')]
    const seen = new Set(
      Array.from({ length: 60 }, (_, seed) => taken(planFor(nodes, request(datacenter), seed))[0])
    )
    expect([...seen].sort()).to.deep.equal(['a1', 'b1', 'c1'])
  })
})

describe('scheduler/plan: binpack', () => {
  const binpack = { strategy: 'binpack' } as const

  it('fills the fullest node that fits, then the next', () => {
    const nodes = [
      node('empty'),
      node('half', free({ cpuMillis: 2000 })),
      node('full', free({ cpuMillis: 700 }))
    ]
    const result = planFor(nodes, request(binpack))
    expect(nodesOf(result)).to.deep.equal({ 0: 'full', 1: 'half', 2: 'half' })
  })

  it('stacks copies that state nothing', () => {
    const perCopy = { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 }
    const nodes = ['a', 'b', 'c'].map((name) => node(name))
    expect(new Set(taken(planFor(nodes, request(binpack, { perCopy })))).size).to.equal(1)
  })

  it('still keeps apart what must be', () => {
    const apart = [{ topologyKey: 'kubernetes.io/hostname', required: true, weight: 0 }]
    const nodes = [node('a', free({ memoryBytes: GiB })), node('b')]
    expect(taken(planFor(nodes, request({ ...binpack, apart }, { ordinals: [0, 1] })))).to.deep.equal([
      'a',
      'b'
    ])
  })
})

import { expect } from 'chai'
import type { PlacementRules } from '../../../src/manifest/index.ts'
import { NO_RULES } from '../../../src/scheduler/bids/bid.ts'
import { whomToAsk } from '../../../src/scheduler/bids/whom-to-ask.ts'
import { MAX_ASKED } from '../../../src/scheduler/constants.ts'
import type { Neighbour } from '../../../src/scheduler/types.ts'

const SIZE = 500
const ZONE = 'topology.kubernetes.io/zone'

/** Names of the first that are asked, of a mesh of 500. */
function firstOf(
  node: (index: number) => Partial<Neighbour>,
  rules: Partial<PlacementRules> = {},
  { explain = false, running = [] as string[], engine = undefined as string | undefined, size = SIZE } = {}
): string[] {
  const live = Array.from({ length: size }, (_, index): Neighbour => {
    const peerId = `peer-${index}`
    const base = { peerId, name: `n${index}`, self: false, state: 'alive', scheduling: true }
    return { ...base, labels: {}, engines: ['mock'], ...node(index) } as unknown as Neighbour
  })
  const { nodes, first } = whomToAsk(live, {
    rules: { ...NO_RULES, ...rules },
    request: { engine, explain },
    running: new Set(running),
    random: Math.random
  })
  expect(new Set(nodes).size, 'nobody twice').to.equal(nodes.length)
  return nodes.slice(0, first).map(({ name }) => name)
}

describe('scheduler: who is asked for a bid', () => {
  it('is everybody in a small mesh, whether or not they fit', () => {
    const asked = firstOf(() => ({ scheduling: false }), {}, { size: MAX_ASKED })
    expect(asked).to.have.length(MAX_ASKED)
  })

  it('are some of a large one, others each time', () => {
    const [one, other] = [firstOf(() => ({})), firstOf(() => ({}))]
    expect([one.length, other.length]).to.deep.equal([MAX_ASKED, MAX_ASKED])
    expect(one).not.to.deep.equal(other)
  })

  for (const [what, node, rules, engine] of [
    ['a selector', { labels: { disk: 'ssd' } }, { nodeSelector: { disk: 'ssd' } }],
    [
      'a required term',
      { labels: { cores: '32' } },
      { requiredTerms: [{ expressions: [{ key: 'cores', operator: 'Gt', values: ['16'] }], fields: [] }] }
    ],
    ['the name', {}, { strategy: 'manual', nodes: ['n77', 'n78'] }],
    ['an engine', { engines: ['docker'] }, {}, 'docker']
  ] as readonly (readonly [string, Partial<Neighbour>, Partial<PlacementRules>, string?])[])
    it(`are those that meet ${what}, however few`, () => {
      const isOne = (index: number) => index === 77 || index === 78
      const asked = firstOf((index) => (isOne(index) ? node : {}), rules, { engine })
      expect(asked.sort()).to.deep.equal(['n77', 'n78'])
    })

  it('are none that take nothing, or have a taint that is not tolerated', () => {
    const taint = { 'taint.beemesh.io/gpu': ':NoSchedule' }
    const nodes = (index: number) =>
      index < 10 ? {} : index % 2 === 0 ? { scheduling: false } : { labels: taint }
    expect(firstOf(nodes)).to.have.length(10)
    const tolerations = [{ key: 'gpu', operator: 'Exists' as const }]
    expect(firstOf(nodes, { tolerations })).to.have.length(MAX_ASKED)
  })

  it('are those that it prefers before the others', () => {
    const term = { expressions: [{ key: 'gpu', operator: 'Exists' as const, values: [] }], fields: [] }
    const asked = firstOf((index) => (index < 5 ? { labels: { gpu: 'yes' } } : {}), {
      preferredTerms: [{ weight: 1, term }]
    })
    expect(asked).to.have.length(MAX_ASKED)
    expect(asked.slice(0, 5).sort()).to.deep.equal(['n0', 'n1', 'n2', 'n3', 'n4'])
  })

  it('are those without a taint that is better avoided before the others', () => {
    const taint = { 'taint.beemesh.io/slow': ':PreferNoSchedule' }
    const asked = firstOf((index) => (index < 5 ? {} : { labels: taint }))
    expect(asked.slice(0, 5).sort()).to.deep.equal(['n0', 'n1', 'n2', 'n3', 'n4'])
  })

  it('are of each zone alike, of a small one all', () => {
    const zoneOf = (index: number) => (index < 2 ? 'c' : index % 2 === 0 ? 'a' : 'b')
    const asked = firstOf((index) => ({ labels: { zone: zoneOf(index) } }))
    const zones = Map.groupBy(asked, (name) => zoneOf(Number(name.slice(1))))
    expect([...zones].map(([zone, names]) => [zone, names.length]).sort()).to.deep.equal([
      ['a', 23],
      ['b', 23],
      ['c', 2]
    ])
  })

  it('are of each value of a label that copies are spread over or kept apart by', () => {
    const rackOf = (index: number) => `rack-${Math.min(index, 39)}`
    const node = (index: number) => ({ labels: { rack: rackOf(index) } })
    for (const rules of [
      { spread: [{ maxSkew: 1, topologyKey: 'rack', required: true }] },
      { apart: [{ topologyKey: 'rack', required: true, weight: 0 }] }
    ]) {
      const racks = new Set(firstOf(node, rules).map((name) => rackOf(Number(name.slice(1)))))
      expect(racks.size).to.equal(40)
    }
  })

  it('are full and cordoned places, too, when asked to explain: there copies are to be spread over them', () => {
    const spread = [{ maxSkew: 1, topologyKey: ZONE, required: true }]
    const node = (index: number) =>
      index === 77 ? { labels: { zone: 'b' }, scheduling: false } : { labels: { zone: 'a' } }
    expect(firstOf(node, { spread }, { explain: true })).to.include('n77')
    expect(firstOf(node, { spread })).not.to.include('n77')
  })

  it('are those that cannot take it last, and only when asked to explain', () => {
    const node = (index: number) => (index === 77 ? { labels: { disk: 'ssd' } } : {})
    const asked = firstOf(node, { nodeSelector: { disk: 'ssd' } }, { explain: true })
    expect(asked).to.have.length(MAX_ASKED)
    expect(asked[0]).to.equal('n77')
  })

  it('are first all that run it, and as many others', () => {
    const running = Array.from({ length: 20 }, (_, index) => `peer-${index}`)
    const asked = firstOf(() => ({}), {}, { running })
    expect(asked).to.have.length(MAX_ASKED + 20)
    expect(asked.slice(0, 20).sort()).to.deep.equal(running.map((one) => one.replace('peer-', 'n')).sort())
  })
})

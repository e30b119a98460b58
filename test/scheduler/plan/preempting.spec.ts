import { expect } from 'chai'
import { node, nodesOf, planFor, ROOM, request, said } from './fixtures.ts'

const FULL = { ...ROOM, cpuMillis: 0 }
const freeable = { cpuMillis: 1_000, memoryBytes: 0, pods: 2 }

describe('plan: copies of lower priority make room', () => {
  it('only when no other node fits', () => {
    const nodes = [
      node('full', { free: FULL, freeable }),
      node('free', { free: { ...ROOM, cpuMillis: 1_000 } })
    ]
    const two = planFor(nodes, request({ priority: 5 }, { ordinals: [0, 1] }))
    const three = planFor(nodes, request({ priority: 5 }))

    expect(nodesOf(two)).to.deep.equal({ 0: 'free', 1: 'free' })
    expect(nodesOf(three)).to.deep.equal({ 0: 'free', 1: 'free', 2: 'full' })
    expect(three).to.deep.include({ unplaced: [], summary: '' })
    expect(said(three, 'full')).to.match(/copies of lower priority make room$/)
  })

  it('no more than there is to free', () => {
    const made = planFor([node('full', { free: FULL, freeable })], request())

    expect(nodesOf(made)).to.deep.equal({ 0: 'full', 1: 'full' })
    expect(made.unplaced).to.deep.equal([2])
    expect(made.summary).to.not.equal('')
  })

  it('keeps to constraints', () => {
    const apart = [{ topologyKey: 'kubernetes.io/hostname', required: true as const, weight: 0 as const }]
    const nodes = [
      node('full', { free: FULL, freeable }),
      node('free', { free: { ...ROOM, cpuMillis: 500 }, freeable })
    ]
    const made = planFor(nodes, request({ apart }))

    expect(Object.values(nodesOf(made)).sort()).to.deep.equal(['free', 'full'])
  })

  it('puts all into one datacenter still', () => {
    const zone = (name: string) => ({ labels: { 'topology.kubernetes.io/zone': name } })
    const nodes = [
      node('a', { ...zone('one'), free: { ...ROOM, cpuMillis: 500 } }),
      node('b', { ...zone('two'), free: FULL, freeable: { ...freeable, cpuMillis: 2_000, pods: 4 } })
    ]
    const made = planFor(nodes, request({ strategy: 'datacenter' }))

    expect(nodesOf(made)).to.deep.equal({ 0: 'b', 1: 'b', 2: 'b' })
  })
})

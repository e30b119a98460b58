import { expect } from 'chai'
import { KINDS } from '../../bench/growth/count.ts'
import { gossipMesh, spread } from '../../bench/growth/simulated-gossip.ts'
import { simulate } from '../../bench/growth/simulated-rounds.ts'
import { closest, joinedNodes, K, kadIdOf, seededRandom } from '../../bench/growth/simulated-tables.ts'
import { walk } from '../../bench/growth/simulated-walk.ts'
import { MAX_ASKED_PEERS } from '../../src/providers/constants.ts'

describe('bench of growth: the simulated mesh', () => {
  const given = (size: number) => {
    const random = seededRandom(7)
    return { random, nodes: joinedNodes(size, random, (node) => walk(node, node.kadId, random)) }
  }

  it('gives the same figures for the same seed, and others for another', () => {
    expect(simulate(80, 5, 3)).to.deep.equal(simulate(80, 5, 3))
    expect(simulate(80, 5, 3)).not.to.deep.equal(simulate(80, 5, 4))
  })

  it('finds by a walk those of all nodes that are closest to a key', () => {
    const { nodes, random } = given(200)
    for (const name of ['a', 'b', 'c']) {
      const asker = nodes[Math.floor(random() * nodes.length)]!
      const others = nodes.filter((node) => node !== asker)
      const right = new Set(closest(others, kadIdOf(name)))
      const found = walk(asker, kadIdOf(name), random).closest.filter((node) => right.has(node))
      expect(found.length).to.be.at.least(K - 1)
    }
  })

  it('brings a gossip message to everybody, with more copies than nodes', () => {
    const { nodes, random } = given(100)
    const { copies } = spread(nodes[5]!, gossipMesh(nodes, random), random)
    expect(copies).to.be.above(nodes.length)
  })

  it('asks no more connected nodes than a search does', () => {
    const { lookupAll } = simulate(100, 20, 1)
    for (const counts of lookupAll) expect(counts.ask).to.be.at.most(2 * (MAX_ASKED_PEERS + 1))
    expect(Object.keys(lookupAll[0]!)).to.deep.equal([...KINDS])
  })
})

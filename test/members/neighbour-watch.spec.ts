import { expect } from 'chai'
import { NeighbourWatch } from '../../src/members/dial/neighbour-watch.ts'

const set = (...peers: string[]) => new Set(peers)

describe('members: whether the neighbours are those of before', () => {
  const watch = (...looks: (readonly [nodes: Set<string>, peers?: Set<string>])[]) => {
    const one = new NeighbourWatch()
    return looks.map(([nodes, peers = nodes]) => [...(one.look(nodes, peers) ?? [])].join())
  }

  it('tells once when all of them are gone and others are there', () => {
    const looks = watch([set('a', 'b', 'c')], [set('x', 'y', 'z')], [set('x', 'y', 'z')])
    expect(looks).to.deep.equal(['', 'a,b,c', ''])
  })

  it('tells it also when the others have not said who they are', () => {
    expect(watch([set('a', 'b', 'c')], [set(), set('x', 'y', 'z')])).to.deep.equal(['', 'a,b,c'])
  })

  it('tells nothing as long as one is there, or when few are', () => {
    expect(watch([set('a', 'b', 'c')], [set('c', 'x', 'y', 'z')], [set('x', 'y', 'z')])).to.deep.equal([
      '',
      '',
      ''
    ])
    expect(watch([set('a', 'b')], [set('x', 'y', 'z')])).to.deep.equal(['', ''])
  })

  it('tells nothing when a network was away and the same ones are back', () => {
    expect(watch([set('a', 'b', 'c')], [set()], [set('a')], [set('a', 'b', 'c')])).to.deep.equal([
      '',
      '',
      '',
      ''
    ])
  })

  it('does not forget them while it is connected to nobody, or to few', () => {
    const looks = watch([set('a', 'b', 'c')], [set()], [set('x')], [set('x', 'y', 'z')])
    expect(looks).to.deep.equal(['', '', '', 'a,b,c'])
  })
})

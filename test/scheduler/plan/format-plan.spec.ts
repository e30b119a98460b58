import { expect } from 'chai'
import { formatPlan } from '../../../src/scheduler/plan/index.ts'
import { GiB, node, planFor, ROOM, request } from './fixtures.ts'

describe('scheduler/plan: what a plan says', () => {
  it('tells how many nodes failed on what and how close the nearest came', () => {
    const poor = (name: string, memoryBytes: number) => node(name, { free: { ...ROOM, memoryBytes } })
    const nodes = [
      poor('n1', 0),
      poor('n2', 3.5 * GiB),
      poor('n3', GiB),
      node('n4', { labels: { zone: 'b' } }),
      node('n5', { labels: {} }),
      node('n6', { scheduling: false }),
      node('n7', { engines: [] })
    ].map((one, index) => (index < 3 ? { ...one, labels: { zone: 'a' } } : one))
    const of = request(
      { nodeSelector: { zone: 'a' } },
      { perCopy: { cpuMillis: 0, memoryBytes: 4 * GiB, storageBytes: 0 }, engine: 'podman' }
    )
    expect(planFor(nodes, of).summary).to.equal(
      'no node fits: 3 of 7 lack memory (closest n2: 512 MiB short), 2 have no label zone=a, ' +
        '1 has no engine podman, 1 takes no workloads (cordoned, or --no-scheduling)'
    )
    expect(planFor([], of).summary).to.equal('no node fits: no node answered')
  })

  it('prints a line for each node, the taken ones first', () => {
    const nodes = [node('anna', { load: 0.5 }), node('bert'), node('cleo', { scheduling: false })]
    expect(formatPlan(planFor(nodes, request({}, { ordinals: [0] }))).split('\n')).to.deep.equal([
      'NODE  VERDICT  COPIES  SCORE  WHY',
      'bert  taken    0       164    base 100, cpu +26, memory +28, load +10, datacenter 0',
      'anna  fits             154    base 100, cpu +26, memory +28, load 0, datacenter 0',
      'cleo  refused                 takes no workloads (cordoned, or --no-scheduling)',
      '1 placed, 0 left over'
    ])
  })

  it('shows no control characters of others', () => {
    const hostile = node('x', { name: 'x\u001b[2J\u202e', labels: { a: '\u001b[31m' } })
    const text = formatPlan(planFor([hostile], request({ nodeSelector: { a: 'b' } })))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them
    expect(text).to.not.match(/[\u001b\u202e]/)
  })
})

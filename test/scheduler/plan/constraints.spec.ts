import { expect } from 'chai'
import type { NodeExpression, PlacementRules } from '../../../src/manifest/index.ts'
import type { Candidate, PlanRequest } from '../../../src/scheduler/plan/index.ts'
import { MiB, node, planFor, ROOM, request, said, taken } from './fixtures.ts'

const HOST = 'kubernetes.io/hostname'
const ZONE = 'topology.kubernetes.io/zone'
const term = (...expressions: NodeExpression[]) => ({ requiredTerms: [{ expressions, fields: [] }] })
const field = (operator: 'In' | 'NotIn', value: string) => ({
  requiredTerms: [{ expressions: [], fields: [{ key: 'metadata.name' as const, operator, values: [value] }] }]
})
const tainted = (taint: string) => ({ labels: { 'taint.beemesh.io/gpu': taint } })

/** What a node must be like so that it is not taken, and what is said of it. */
const REFUSED: readonly (readonly [
  what: string,
  candidate: Partial<Candidate>,
  rules: Partial<PlacementRules>,
  reason: string,
  fields?: Partial<PlanRequest>
])[] = [
  ['a cordoned node', { scheduling: false }, {}, 'takes no workloads (cordoned, or --no-scheduling)'],
  ['one to avoid', {}, {}, 'is avoided: failed twice', { avoid: new Map([['peer-bad', 'failed twice']]) }],
  ['another than the named ones', {}, { nodes: ['good'] }, 'is none of the nodes that are named'],
  ['one without the engine', { engines: ['mock'] }, {}, 'has no engine podman', { engine: 'podman' }],
  [
    'one without CPU, memory and disk',
    { free: { cpuMillis: 1, memoryBytes: 0, storageBytes: 0, pods: 1 } },
    {},
    'lacks cpu and memory and disk: cpu 499m short, memory 512 MiB short, disk 1 B short',
    { perCopy: { cpuMillis: 500, memoryBytes: 512 * MiB, storageBytes: 1 } }
  ],
  [
    'one whose disk is full, for a copy that asks for none',
    { free: { ...ROOM, storageBytes: 0 } },
    {},
    'keeps its last GiB of disk for itself'
  ],
  ['one that is full of pods', { free: { ...ROOM, pods: 0 } }, {}, 'lacks room for a pod'],
  ['one whose numbers are none', { free: { ...ROOM, cpuMillis: Number.NaN } }, {}, 'lacks cpu: NaNm short'],
  [
    'one with another value',
    { labels: { disk: 'hdd' } },
    { nodeSelector: { disk: 'ssd' } },
    'has no label disk=ssd (it has disk=hdd)'
  ],
  ['one without the label', { labels: {} }, { nodeSelector: { disk: 'ssd' } }, 'has no label disk=ssd'],
  [
    'In',
    { labels: {} },
    term({ key: 'disk', operator: 'In', values: ['ssd', 'nvme'] }),
    'does not match the required term disk In ssd, nvme'
  ],
  [
    'NotIn',
    { labels: { arch: 'arm' } },
    term({ key: 'arch', operator: 'NotIn', values: ['arm'] }),
    'does not match the required term arch NotIn arm'
  ],
  [
    'Exists',
    { labels: {} },
    term({ key: 'disk', operator: 'Exists', values: [] }),
    'does not match the required term disk Exists'
  ],
  [
    'DoesNotExist',
    { labels: { old: '' } },
    term({ key: 'old', operator: 'DoesNotExist', values: [] }),
    'does not match the required term old DoesNotExist'
  ],
  [
    'Gt',
    { labels: { cores: '8' } },
    term({ key: 'cores', operator: 'Gt', values: ['8'] }),
    'does not match the required term cores Gt 8'
  ],
  [
    'Lt with what is no number',
    { labels: { cores: 'few' } },
    term({ key: 'cores', operator: 'Lt', values: ['99'] }),
    'does not match the required term cores Lt 99'
  ],
  ['a field', {}, field('NotIn', 'bad'), 'matches no required node term'],
  ['a taint', tainted(':NoSchedule'), {}, 'has taint gpu:NoSchedule, which is not tolerated'],
  [
    'a taint with another value than is tolerated',
    tainted('a100:NoExecute'),
    { tolerations: [{ key: 'gpu', operator: 'Equal', value: 'h100' }] },
    'has taint gpu=a100:NoExecute, which is not tolerated'
  ],
  [
    'a taint with another effect than is tolerated',
    tainted(':NoExecute'),
    { tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }] },
    'has taint gpu:NoExecute, which is not tolerated'
  ],
  [
    'one that runs a copy, where they must be apart',
    { ordinals: [7] },
    { apart: [{ topologyKey: HOST, required: true, weight: 0 }] },
    `shares ${HOST}=bad with a copy that must be apart`
  ],
  [
    'one without the label to spread over',
    { labels: {} },
    { spread: [{ maxSkew: 1, topologyKey: ZONE, required: true }] },
    `has no label ${ZONE}, over which copies are spread`
  ],
  [
    'one in a zone with too many copies',
    { labels: { zone: 'b' }, ordinals: [7] },
    { spread: [{ maxSkew: 1, topologyKey: ZONE, required: true }] },
    `is in ${ZONE}=b, which would be more than 1 above the one with the fewest copies`
  ]
]

const GOOD = node('good', { labels: { disk: 'ssd', zone: 'a', cores: '9' }, load: 1 })

describe('scheduler/plan: constraints', () => {
  for (const [what, candidate, rules, reason, fields] of REFUSED)
    it(`refuse ${what}, with the reason`, () => {
      const result = planFor([node('bad', candidate), GOOD], request(rules, { ordinals: [0], ...fields }))
      expect(said(result, 'bad')).to.equal(reason)
      expect(taken(result)).to.deep.equal(['good'])
      expect(result.explained.find(({ name }) => name === 'bad')?.verdict).to.equal('refused')
    })

  for (const [what, candidate, rules] of [
    [
      'a taint that is tolerated by value',
      tainted('a100:NoSchedule'),
      { tolerations: [{ key: 'gpu', operator: 'Equal', value: 'a100', effect: 'NoSchedule' }] }
    ],
    [
      'any taint, where everything is tolerated',
      tainted('a:NoExecute'),
      { tolerations: [{ operator: 'Exists' }] }
    ],
    ['NotIn without the label', {}, term({ key: 'x', operator: 'NotIn', values: ['a'] })],
    ['Gt', { labels: { cores: '9' } }, term({ key: 'cores', operator: 'Gt', values: ['8'] })],
    ['its name by label', {}, { nodeSelector: { [HOST]: 'n' } }],
    ['its name by field', {}, field('In', 'n')],
    ['its system', {}, { nodeSelector: { 'kubernetes.io/os': 'linux' } }],
    ['its engine by label', {}, { nodeSelector: { 'engine.beemesh.io/podman': 'true' } }],
    ['its zone by the long name', { labels: { zone: 'z' } }, { nodeSelector: { [ZONE]: 'z' } }],
    [
      'one of two terms',
      {},
      {
        requiredTerms: [
          ...term({ key: 'x', operator: 'Exists', values: [] }).requiredTerms,
          ...field('In', 'n').requiredTerms
        ]
      }
    ],
    [
      'a missing label to keep apart by',
      { ordinals: [3] },
      { apart: [{ topologyKey: 'rack', required: true, weight: 0 }] }
    ],
    ['a byte of disk where none is asked for', { free: { ...ROOM, storageBytes: 1 } }, {}]
  ] as const)
    it(`let pass ${what}`, () => {
      const result = planFor([node('n', candidate)], request(rules, { ordinals: [0] }))
      expect(taken(result), result.summary).to.deep.equal(['n'])
    })

  it('an empty required term is met by no node', () => {
    expect(planFor([GOOD], request(term())).summary).to.equal(
      'no node fits: 1 of 1 matches no required node term'
    )
  })

  it('keep copies apart by zone among those placed now', () => {
    const zone = (name: string) => node(name, { labels: { zone: name[0]! } })
    const apart = [{ topologyKey: ZONE, required: true, weight: 0 }]
    const result = planFor(['a1', 'a2', 'b1'].map(zone), request({ apart }))
    expect(taken(result).map((name) => name[0])).to.deep.equal(['a', 'b'])
    expect(result.unplaced).to.deep.equal([2])
    expect(result.summary).to.equal(
      `1 of 3 copies find no node: 3 of 3 share ${ZONE} with a copy that must be apart`
    )
  })

  it('count full and tainted nodes for spreading as Kubernetes does, and not those a selector rules out', () => {
    const spread = [{ maxSkew: 1, topologyKey: ZONE, required: true }]
    const at = (name: string, labels = {}, fields = {}) =>
      node(name, { labels: { zone: name, ...labels }, ...fields })
    const full = at('b', {}, { free: { ...ROOM, pods: 0 } })
    expect(planFor([at('a'), full], request({ spread })).unplaced).to.deep.equal([1, 2])
    const ruled = request({ spread, nodeSelector: { disk: 'ssd' } })
    expect(planFor([at('a', { disk: 'ssd' }), at('b')], ruled).unplaced).to.deep.equal([])
  })

  it('run one copy on each node that matches, has none and fits', () => {
    const nodes = [
      node('a'),
      node('b', { ordinals: [0] }),
      node('c', { labels: { gpu: 'no' } }),
      node('d', { free: { ...ROOM, memoryBytes: 0 } })
    ]
    const rules = { requiredTerms: term({ key: 'gpu', operator: 'DoesNotExist', values: [] }).requiredTerms }
    const result = planFor(nodes, request(rules, { perNode: true, ordinals: [0] }))
    expect(result.assignments.map(({ ordinal, peerId }) => [ordinal, peerId])).to.deep.equal([[0, 'peer-a']])
    expect(result.unplaced).to.deep.equal([0])
    expect(result.summary).to.equal(
      '1 of 3 matching nodes cannot take their copy: 1 of 1 lacks memory (closest d: 512 MiB short)'
    )
    expect(said(result, 'b')).to.equal('runs its copy already')
    const none = planFor([node('c', { scheduling: false })], request({}, { perNode: true }))
    expect(none.summary).to.include('no node matches: 1 of 1 takes no workloads')
  })
})

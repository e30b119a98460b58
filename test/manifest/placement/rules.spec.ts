import { expect } from 'chai'
import fc from 'fast-check'
import {
  canonicalRules,
  ManifestError,
  nodeLabelsOf,
  type PlacementRules,
  parseRules,
  parseTaint,
  taintLabel,
  taintsOf
} from '../../../src/manifest/index.ts'
import { parseOne, pod, refusalOf } from '../fixtures/manifests.ts'

const plain = parseOne(pod()).placement
const changed = (change: object) => canonicalRules({ ...plain, ...change } as PlacementRules)
const term = (expression: object) => ({ expressions: [{ key: 'a', values: [], ...expression }], fields: [] })

describe('manifest/placement: rules out of a record', () => {
  it('come back as they went in', () => {
    const rules: PlacementRules = {
      ...plain,
      strategy: 'manual',
      nodes: ['anna'],
      nodeSelector: { constructor: 'x', a: '' },
      requiredTerms: [{ expressions: [], fields: [] }],
      tolerations: [{ operator: 'Exists' }]
    }
    expect(parseRules(canonicalRules(rules))).to.deep.equal(rules)
    expect(parseRules(canonicalRules(plain))).to.deep.equal(plain)
  })

  for (const [what, text] of [
    ['an unknown key', changed({ extra: 1 })],
    ['a missing key', canonicalRules({ strategy: 'auto' } as PlacementRules)],
    ['another strategy', changed({ strategy: 'best' })],
    ['manual without nodes', changed({ strategy: 'manual' })],
    ['a node that is no name', changed({ nodes: ['../x'] })],
    ['too many nodes', changed({ nodes: Array.from({ length: 65 }, (_, index) => `n${index}`) })],
    ['a label that is no text', changed({ nodeSelector: { a: 1 } })],
    [
      'a key of the prototype',
      canonicalRules(plain).replace('"nodeSelector":{}', '"nodeSelector":{"__proto__":"x"}')
    ],
    ['a fraction', changed({ priority: 0.5 })],
    ['a huge priority', changed({ priority: 1e15 })],
    ['an unknown operator', changed({ requiredTerms: [term({ operator: 'Like' })] })],
    ['an operator without its values', changed({ requiredTerms: [term({ operator: 'In' })] })],
    ['weight 0', changed({ preferredTerms: [{ weight: 0, term: term({ operator: 'Exists' }) }] })],
    ['a demand with a weight', changed({ apart: [{ topologyKey: 'a', required: true, weight: 5 }] })],
    ['a wish without a weight', changed({ apart: [{ topologyKey: 'a', required: false, weight: 0 }] })],
    ['a skew of 0', changed({ spread: [{ topologyKey: 'a', required: true, maxSkew: 0 }] })],
    ['a toleration of nothing', changed({ tolerations: [{ operator: 'Equal' }] })],
    ['another order of keys', JSON.stringify(plain)],
    ['a key said twice', canonicalRules(plain).replace('"priority":0', '"priority":1,"priority":0')],
    ['an array', '[]'],
    ['null', 'null'],
    ['no JSON', '{']
  ] as const)
    it(`are refused with ${what}`, () => {
      expect(refusalOf(() => parseRules(text)).code).to.equal('MANIFEST_NOT_CANONICAL')
    })

  it('are refused above 8 KiB before anything is read', () => {
    expect(refusalOf(() => parseRules('['.repeat(8193))).code).to.equal('MANIFEST_TOO_LARGE')
    expect(refusalOf(() => parseRules('ä'.repeat(5000))).code).to.equal('MANIFEST_TOO_LARGE')
    expect(refusalOf(() => parseRules('['.repeat(8192))).code).to.equal('MANIFEST_NOT_CANONICAL')
  })

  it('are read or refused by a ManifestError whatever the text', () => {
    const keys = fc.constantFrom(...Object.keys(plain))
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), (change) => {
        try {
          parseRules(changed(change))
        } catch (thrown) {
          expect(thrown).to.be.instanceOf(ManifestError)
        }
      }),
      { seed: 3, numRuns: 500 }
    )
  })
})

describe('manifest/placement: labels and taints of a node', () => {
  const node = { name: 'anna', engines: ['podman'], labels: { zone: 'a', disk: 'ssd' } }

  it('adds name, system, engines and the topology keys', () => {
    expect(nodeLabelsOf(node)).to.deep.equal({
      disk: 'ssd',
      zone: 'a',
      'topology.kubernetes.io/zone': 'a',
      'kubernetes.io/os': 'linux',
      'beta.kubernetes.io/os': 'linux',
      'engine.beemesh.io/podman': 'true',
      'kubernetes.io/hostname': 'anna'
    })
    expect(nodeLabelsOf({ ...node, labels: { 'topology.kubernetes.io/region': 'eu' } })).to.include({
      region: 'eu'
    })
  })

  it('lets no label of its own change its name, system or engines, and shows no taint as a label', () => {
    const labels = {
      'kubernetes.io/hostname': 'bert',
      'kubernetes.io/os': 'windows',
      'engine.beemesh.io/docker': 'true',
      'taint.beemesh.io/a': 'b:NoSchedule'
    }
    const stated = nodeLabelsOf({ ...node, labels })
    expect(stated).to.include({ 'kubernetes.io/hostname': 'anna', 'kubernetes.io/os': 'linux' })
    expect(stated).to.not.have.any.keys('engine.beemesh.io/docker', 'taint.beemesh.io/a')
    expect(nodeLabelsOf({ ...node, labels: stated })).to.deep.equal(stated)
  })

  it('reads taints back from labels, and lets one that is written wrongly keep everything away', () => {
    for (const text of ['gpu:NoSchedule', 'example.com/disk=slow:PreferNoSchedule', 'a=:NoExecute']) {
      const taint = parseTaint(text)
      expect(taintsOf(Object.fromEntries([taintLabel(taint!)]))).to.deep.equal([taint])
    }
    for (const text of [
      'gpu',
      'gpu:',
      ':NoSchedule',
      'a=b=c:NoSchedule',
      'a:b:NoSchedule',
      'a:Never',
      'a b:NoExecute'
    ])
      expect(parseTaint(text), text).to.equal(undefined)
    expect(taintsOf({ 'taint.beemesh.io/x': 'NoSuch', zone: 'a' })).to.deep.equal([
      { key: 'x', value: 'NoSuch', effect: 'NoSchedule' }
    ])
  })
})

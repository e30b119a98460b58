import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { parseManifests } from '../../../src/manifest/index.ts'
import { daemonSet, deployment, parseOne, pod, refuse, refuseAt } from '../fixtures/manifests.ts'

const own = { labelSelector: { matchLabels: { app: 'web' } } }
const apart = (term: object) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
})
const terms = (...nodeSelectorTerms: object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } }
})
const annotated = (annotations: object, spec = {}) => pod(spec, { annotations })
const AFFINITY = 'spec.template.spec.affinity'
const ANTI = `${AFFINITY}.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]`

describe('manifest/placement: what a manifest says of where its copies run', () => {
  it('reads all of it from a Deployment as charts render it', () => {
    const url = new URL('../fixtures/real-world/spread-web.yaml', import.meta.url)
    const [manifest] = parseManifests(readFileSync(url, 'utf8'))
    expect(manifest?.placement).to.deep.equal({
      strategy: 'spread',
      nodes: [],
      nodeSelector: { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
      requiredTerms: [
        {
          expressions: [
            { key: 'disk', operator: 'In', values: ['ssd', 'nvme'] },
            { key: 'cores', operator: 'Gt', values: ['3'] }
          ],
          fields: []
        },
        { expressions: [], fields: [{ key: 'metadata.name', operator: 'In', values: ['kestrel'] }] }
      ],
      preferredTerms: [
        {
          weight: 10,
          term: { expressions: [{ key: 'old', operator: 'DoesNotExist', values: [] }], fields: [] }
        }
      ],
      apart: [
        { topologyKey: 'kubernetes.io/hostname', required: true, weight: 0 },
        { topologyKey: 'topology.kubernetes.io/zone', required: false, weight: 100 }
      ],
      tolerations: [
        { key: 'dedicated', operator: 'Equal', value: 'web', effect: 'NoSchedule' },
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' }
      ],
      spread: [{ maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', required: true }],
      priority: 1000
    })
  })

  it('leaves out an empty preference and keeps an empty demand, which no node meets', () => {
    const preferred = [{ weight: 1, preference: {} }]
    const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution: preferred }
    expect(parseOne(pod({ affinity: { nodeAffinity } })).placement.preferredTerms).to.deep.equal([])
    expect(parseOne(pod(terms({}))).placement.requiredTerms).to.deep.equal([{ expressions: [], fields: [] }])
  })

  it('reads nodes, and demands them for manual', () => {
    const nodes = 'anna, 12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA'
    const { placement } = parseOne(annotated({ 'beemesh.io/strategy': 'manual', 'beemesh.io/nodes': nodes }))
    expect(placement.nodes).to.deep.equal(nodes.split(', '))
    const at = 'metadata.annotations["beemesh.io/strategy"]'
    refuseAt(at, 'MANIFEST_INVALID', annotated({ 'beemesh.io/strategy': 'manual' }))
    refuseAt(at, 'MANIFEST_INVALID', annotated({ 'beemesh.io/strategy': 'best' }))
    for (const wrong of ['', 'a,', 'a,a', 'A b', Array.from({ length: 65 }, (_, i) => `n${i}`).join()])
      refuseAt(
        'metadata.annotations["beemesh.io/nodes"]',
        'MANIFEST_INVALID',
        annotated({ 'beemesh.io/nodes': wrong })
      )
  })

  it('has a priority by class or by number, not by both, and takes the number that a cluster added', () => {
    const priorityOf = (...args: Parameters<typeof annotated>) =>
      parseOne(annotated(...args)).placement.priority
    const priorityClassName = 'system-node-critical'
    expect(priorityOf({})).to.equal(0)
    expect(priorityOf({ 'beemesh.io/priority': '-5' })).to.equal(-5)
    expect(priorityOf({}, { priorityClassName })).to.equal(2_000_001_000)
    expect(priorityOf({}, { priorityClassName, priority: 2_000_001_000 })).to.equal(2_000_001_000)
    expect(priorityOf({ 'beemesh.io/priority': '7' }, { priority: 7 })).to.equal(7)
    refuseAt('spec.priority', 'MANIFEST_UNSUPPORTED_FIELD', pod({ priority: 7 }))
    refuseAt('spec.priorityClassName', 'MANIFEST_UNSUPPORTED_FIELD', pod({ priorityClassName: 'gold' }))
    const both = annotated({ 'beemesh.io/priority': '7' }, { priorityClassName })
    refuseAt('spec.priorityClassName', 'MANIFEST_INVALID', both)
    for (const wrong of ['1e3', '1000000001', '01', 'high'])
      refuseAt(
        'metadata.annotations["beemesh.io/priority"]',
        'MANIFEST_INVALID',
        annotated({ 'beemesh.io/priority': wrong })
      )
  })

  it('refuses a selector that is about other workloads, and says what to write', () => {
    const topologyKey = 'kubernetes.io/hostname'
    const other = { topologyKey, labelSelector: { matchLabels: { app: 'database' } } }
    const found = refuseAt(
      `${ANTI}.labelSelector.matchLabels.app`,
      'MANIFEST_UNSUPPORTED_FIELD',
      deployment({}, apart(other))
    )
    expect(found.message).to.include('sealed').and.to.include('labels of its own pods')
    for (const labelSelector of [{}, undefined])
      refuseAt(
        `${ANTI}.labelSelector`,
        'MANIFEST_UNSUPPORTED_FIELD',
        deployment({}, apart({ topologyKey, labelSelector }))
      )
    const not = { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }
    refuseAt(
      `${ANTI}.labelSelector.matchExpressions[0]`,
      'MANIFEST_UNSUPPORTED_FIELD',
      deployment({}, apart({ topologyKey, labelSelector: not }))
    )
    const spread = { maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', ...other }
    refuseAt(
      'spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels.app',
      'MANIFEST_UNSUPPORTED_FIELD',
      daemonSet({}, { topologySpreadConstraints: [spread] })
    )
    parseOne(deployment({}, apart({ topologyKey, ...own })))
  })

  it('refuses to stand near other workloads, with the reason', () => {
    const found = refuseAt(
      `${AFFINITY}.podAffinity`,
      'MANIFEST_UNSUPPORTED_FIELD',
      deployment({}, { affinity: { podAffinity: {} } })
    )
    expect(found.message).to.include('sealed')
  })

  it('refuses operators with the wrong values', () => {
    const at =
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]'
    for (const expression of [
      { operator: 'In' },
      { operator: 'NotIn', values: [] },
      { operator: 'Exists', values: ['x'] },
      { operator: 'Gt', values: ['many'] },
      { operator: 'Lt', values: ['1', '2'] }
    ])
      refuseAt(
        `${at}.matchExpressions[0].values`,
        'MANIFEST_INVALID',
        pod(terms({ matchExpressions: [{ key: 'x', ...expression }] }))
      )
    for (const toleration of [{ operator: 'Equal' }, {}])
      refuseAt('spec.tolerations[0].operator', 'MANIFEST_INVALID', pod({ tolerations: [toleration] }))
    const exists = { key: 'a', operator: 'Exists', value: 'b' }
    refuseAt('spec.tolerations[0].value', 'MANIFEST_INVALID', pod({ tolerations: [exists] }))
  })

  it('refuses more than a record can carry', () => {
    const values = Array.from({ length: 32 }, (_, index) => `${index}`.padStart(60, 'x'))
    const matchExpressions = Array.from({ length: 5 }, () => ({ key: 'k', operator: 'In', values }))
    const error = refuse(pod(terms({ matchExpressions })))
    expect(error.code).to.equal('MANIFEST_TOO_LARGE')
    expect(error.message).to.include('at most 8192')
  })
})

import { expect } from 'chai'
import type { Manifest } from '../../../src/manifest/index.ts'
import { daemonSet, deployment, job, parseOne, pod, refuseAt, statefulSet } from '../fixtures/manifests.ts'

const paceOf = ({ rollout }: Manifest) => [rollout.strategy, rollout.maxSurge, rollout.maxUnavailable]
const rolling = (replicas: number, maxSurge?: unknown, maxUnavailable?: unknown) =>
  deployment({ replicas, strategy: { rollingUpdate: { maxSurge, maxUnavailable } } })

describe('manifest/plans/rollout', () => {
  const paces: readonly (readonly [what: string, document: object, expected: unknown[]])[] = [
    ['a Deployment of 4', deployment({ replicas: 4 }), ['RollingUpdate', 1, 1]],
    ['a Deployment of 1', deployment(), ['RollingUpdate', 1, 0]],
    ['numbers of copies', rolling(4, 2, 0), ['RollingUpdate', 2, 0]],
    ['percentages, rounded up and down', rolling(10, '33%', '33%'), ['RollingUpdate', 4, 3]],
    ['percentages that round to nothing', rolling(1, '0%', '50%'), ['RollingUpdate', 0, 1]],
    ['100%', rolling(3, '100%', '100%'), ['RollingUpdate', 3, 3]],
    ['Recreate', deployment({ replicas: 3, strategy: { type: 'Recreate' } }), ['Recreate', 0, 3]],
    ['a Pod', pod(), ['RollingUpdate', 1, 0]],
    ['a StatefulSet', statefulSet({ replicas: 3 }), ['RollingUpdate', 0, 1]],
    [
      'a StatefulSet that hurries',
      statefulSet({ replicas: 4, updateStrategy: { rollingUpdate: { maxUnavailable: '50%' } } }),
      ['RollingUpdate', 0, 2]
    ],
    ['a DaemonSet', daemonSet(), ['RollingUpdate', 0, 1]],
    [
      'a DaemonSet that starts first',
      daemonSet({ updateStrategy: { rollingUpdate: { maxSurge: '10%', maxUnavailable: 0 } } }),
      ['RollingUpdate', 1, 0]
    ],
    ['a Job', job(), ['Recreate', 0, 1]]
  ]
  for (const [what, document, expected] of paces)
    it(`works out the pace of ${what}`, () => {
      expect(paceOf(parseOne(document))).to.deep.equal(expected)
    })

  it('reads deadline and readiness in milliseconds, and the order of a StatefulSet', () => {
    const { rollout } = parseOne(deployment({ minReadySeconds: 5, progressDeadlineSeconds: 60 }))
    expect(rollout).to.include({ minReadyMs: 5000, progressDeadlineMs: 60_000, ordered: false })
    expect(parseOne(statefulSet()).rollout.ordered).to.equal(true)
    expect(parseOne(statefulSet({ podManagementPolicy: 'Parallel' })).rollout.ordered).to.equal(false)
  })

  const update = 'spec.strategy.rollingUpdate'
  const refused: readonly (readonly [what: string, path: string, document: object])[] = [
    ['a pace with which nothing could move', `${update}.maxUnavailable`, rolling(2, 0, '0%')],
    ['101%', `${update}.maxSurge`, rolling(2, '101%')],
    ['a negative pace', `${update}.maxSurge`, rolling(2, -1)],
    ['a pace in words', `${update}.maxSurge`, rolling(2, 'half')],
    ['a pace for Recreate', update, deployment({ strategy: { type: 'Recreate', rollingUpdate: {} } })],
    [
      'a deadline before readiness',
      'spec.progressDeadlineSeconds',
      deployment({ progressDeadlineSeconds: 5, minReadySeconds: 5 })
    ],
    [
      'a StatefulSet that may miss none',
      'spec.updateStrategy.rollingUpdate.maxUnavailable',
      statefulSet({ updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } })
    ],
    [
      'a DaemonSet that starts first and stops first',
      'spec.updateStrategy.rollingUpdate.maxUnavailable',
      daemonSet({ updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } })
    ]
  ]
  for (const [what, path, document] of refused)
    it(`refuses ${what}`, () => {
      refuseAt(path, 'MANIFEST_INVALID', document)
    })

  it('refuses updates that wait for another command', () => {
    const onDelete = { updateStrategy: { type: 'OnDelete' } }
    for (const document of [daemonSet(onDelete), statefulSet(onDelete)])
      refuseAt('spec.updateStrategy.type', 'MANIFEST_UNSUPPORTED_FIELD', document)
    refuseAt('spec.paused', 'MANIFEST_UNSUPPORTED_FIELD', deployment({ paused: true }))
  })
})

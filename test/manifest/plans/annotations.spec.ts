import { expect } from 'chai'
import { pidsLimitOf, recoveryOf } from '../../../src/manifest/index.ts'
import { claim, deployment, parseOne, pod, refuseAt, statefulSet } from '../fixtures/manifests.ts'

const annotated = (key: string, value: string) => pod({}, { annotations: { [`beemesh.io/${key}`]: value } })

describe('manifest/plans/annotations', () => {
  it('reads a pids limit', () => {
    expect(pidsLimitOf(parseOne(annotated('pids-limit', '1')))).to.equal(1)
    expect(pidsLimitOf(parseOne(annotated('pids-limit', '32768')))).to.equal(32_768)
    expect(pidsLimitOf(parseOne(pod()))).to.equal(undefined)
  })

  for (const [key, value] of [
    ['pids-limit', '0'],
    ['pids-limit', '32769'],
    ['pids-limit', '1e3'],
    ['pids-limit', ' 5'],
    ['on-partition', 'stay'],
    ['on-node-loss', 'fence']
  ] as const)
    it(`refuses ${key} ${JSON.stringify(value)}`, () => {
      refuseAt(`metadata.annotations["beemesh.io/${key}"]`, 'MANIFEST_INVALID', annotated(key, value))
    })

  it('fences a StatefulSet and leaves a claim with its machine, unless told otherwise', () => {
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'v' } }]
    expect(recoveryOf(parseOne(deployment()))).to.deep.equal({ onPartition: 'keep', onNodeLoss: 'recreate' })
    expect(parseOne(statefulSet()).recovery).to.deep.equal({ onPartition: 'fence', onNodeLoss: 'recreate' })
    expect(recoveryOf(parseOne(statefulSet()))).to.include({ onPartition: 'fence' })
    expect(recoveryOf(parseOne(deployment({}, { volumes }), claim('v')))).to.include({ onNodeLoss: 'keep' })
    expect(recoveryOf(parseOne(annotated('on-partition', 'stop')))).to.include({ onPartition: 'stop' })
    expect(recoveryOf(parseOne(annotated('on-node-loss', 'keep')))).to.include({ onNodeLoss: 'keep' })
  })
})

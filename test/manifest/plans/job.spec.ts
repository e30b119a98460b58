import { expect } from 'chai'
import fc from 'fast-check'
import { completionsOf, toPod } from '../../../src/manifest/index.ts'
import { container, cronJob, deployment, job, parseOne, refusalOf, refuseAt } from '../fixtures/manifests.ts'

describe('manifest/plans/job', () => {
  it('has the defaults of Kubernetes', () => {
    const manifest = parseOne(job())
    expect(manifest.job).to.deep.equal({ completions: 1, parallelism: 1, backoffLimit: 6, indexed: false })
    expect(manifest.replicas).to.equal(1)
    expect(parseOne(deployment()).job).to.equal(undefined)
  })

  it('runs no more copies than there are completions, and as many completions as copies where none are written', () => {
    expect(parseOne(job({ completions: 3, parallelism: 10 })).replicas).to.equal(3)
    expect(parseOne(job({ parallelism: 4 })).job?.completions).to.equal(4)
    expect(parseOne(job({ parallelism: 0 })).job).to.include({ completions: 1, parallelism: 0 })
  })

  it('reads deadline, limit and time to live in milliseconds', () => {
    const fields = { backoffLimit: 2, activeDeadlineSeconds: 9, ttlSecondsAfterFinished: 0 }
    expect(parseOne(job(fields)).job).to.include({ backoffLimit: 2, activeDeadlineMs: 9000, ttlMs: 0 })
  })

  it('deals out every completion to exactly one copy', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 50 }),
        (completions, wanted) => {
          const parallelism = Math.min(wanted, completions)
          const dealt = Array.from({ length: parallelism }, (_, ordinal) =>
            completionsOf({ completions, parallelism }, ordinal)
          )
          expect(dealt.every((own) => own.length > 0)).to.equal(true)
          expect(dealt.flat().sort((a, b) => a - b)).to.deep.equal([...Array(completions).keys()])
        }
      ),
      { seed: 5 }
    )
    expect(completionsOf({ completions: 5, parallelism: 2 }, 1)).to.deep.equal([1, 3])
    expect(completionsOf({ completions: 5, parallelism: 2 }, 2)).to.deep.equal([])
    expect(completionsOf({ completions: 5, parallelism: 0 }, 0)).to.deep.equal([])
  })

  it('gives an indexed run its number, in the environment and as annotation', () => {
    const env = [
      {
        name: 'ALSO',
        valueFrom: {
          fieldRef: { fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']" }
        }
      }
    ]
    const manifest = parseOne(
      job({ completions: 5, completionMode: 'Indexed' }, { containers: [container({ env })] })
    )
    const options = { workloadId: 'w', ordinal: 0, labels: {}, ports: [] }
    const { pod } = toPod(manifest, { ...options, completion: 3 })
    expect(pod.spec.containers[0]?.env).to.deep.equal([
      { name: 'ALSO', value: '3' },
      { name: 'JOB_COMPLETION_INDEX', value: '3' }
    ])
  })

  it('refuses to make a run without the number of its completion, so that no node runs a Job as if it were a service', () => {
    const options = { workloadId: 'w', ordinal: 0, labels: {}, ports: [] }
    for (const document of [job(), cronJob()])
      for (const completion of [undefined, -1, 1, 0.5]) {
        const manifest = parseOne(document)
        const change = completion === undefined ? {} : { completion }
        expect(refusalOf(() => toPod(manifest, { ...options, ...change })).code).to.equal('MANIFEST_ARGUMENT')
      }
  })

  it('needs restartPolicy OnFailure or Never', () => {
    const at = 'spec.template.spec.restartPolicy'
    refuseAt(at, 'MANIFEST_INVALID', job({}, { restartPolicy: 'Always' }))
    refuseAt(at, 'MANIFEST_INVALID', job({}, { restartPolicy: null }))
    refuseAt(`spec.jobTemplate.${at}`, 'MANIFEST_INVALID', cronJob({}, {}, { restartPolicy: 'Always' }))
    parseOne(job({}, { restartPolicy: 'OnFailure' }))
  })
})

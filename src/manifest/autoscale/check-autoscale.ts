import type { Report } from '../check/report.ts'
import { amountsOf } from '../objects/amounts.ts'
import { asNumber, type JsonRecord } from '../objects/json.ts'
import { podTemplateOf, workloadOf } from '../objects/kube.ts'
import type { KubeObject, Manifest } from '../types.ts'
import { autoscalersOf } from './autoscale-of.ts'

/** Longest name of a copy, which is its hostname. */
const MAX_COPY_NAME = 63

/** What a JSON Schema cannot say of an autoscaler. Takes unchecked data. */
export function checkAutoscaler({ minReplicas, maxReplicas }: JsonRecord, report: Report): void {
  const [least, most] = [asNumber(minReplicas) ?? 1, asNumber(maxReplicas)]
  if (most !== undefined && least > most)
    report('spec.minReplicas', 'maximum', 'must not be above maxReplicas', { value: minReplicas })
}

/**
 * Reports what an autoscaler asks of a workload that it cannot have.
 * @param reportFor of the document of an object
 */
export function checkAutoscaleUse(manifest: Manifest, reportFor: (object: KubeObject) => Report): void {
  const { autoscale, objects, kind, name } = manifest
  const workload = workloadOf(manifest)
  const [first, ...more] = autoscalersOf(workload, objects)
  if (autoscale === undefined || first === undefined) return
  for (const other of more)
    reportFor(other)(
      'spec.scaleTargetRef.name',
      'unique',
      `is scaled by ${first.metadata.name} already; write one HorizontalPodAutoscaler for it`
    )
  const { containers } = podTemplateOf(workload).spec
  for (const resource of new Set(autoscale.metrics.map((one) => one.resource))) {
    const key = resource === 'cpu' ? 'cpuMillis' : 'memoryBytes'
    const silent = containers.find(
      (one) => (amountsOf(one, 'requests')[key] ?? amountsOf(one, 'limits')[key] ?? 0) === 0
    )
    if (silent !== undefined)
      reportFor(first)(
        'spec.metrics',
        'requests',
        `needs resources.requests.${resource} at every container: ${silent.name} of ${kind} ${name} has none`
      )
  }
  if (kind === 'StatefulSet' && `${name}-${autoscale.maxReplicas - 1}`.length > MAX_COPY_NAME)
    reportFor(first)(
      'spec.maxReplicas',
      'maxLength',
      `is too many for the name ${name}: with the ordinal it has more than ${MAX_COPY_NAME} characters`
    )
}

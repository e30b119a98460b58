import { autoscaleOf } from './autoscale/autoscale-of.ts'
import { ENGINE_ANNOTATION } from './constants.ts'
import { resourcesOf } from './objects/amounts.ts'
import { asRecord, asText, own } from './objects/json.ts'
import { podTemplateOf } from './objects/kube.ts'
import { placementOf } from './placement/placement-of.ts'
import { recoveryOf } from './plans/annotations.ts'
import { claimsOf } from './plans/claims.ts'
import { cronPlanOf, jobPlanOf } from './plans/job.ts'
import { portsOf, type ServiceProblem, servicesOf } from './plans/ports.ts'
import { rolloutOf } from './plans/rollout.ts'
import type { KubeObject, Manifest, WorkloadKind } from './types.ts'

/**
 * The summary of validated objects.
 * @param objects the workload first
 * @param problem told what a Service says that cannot be
 */
export function toManifest(
  objects: readonly [KubeObject, ...KubeObject[]],
  problem?: ServiceProblem
): Manifest {
  const [workload] = objects
  const { spec } = podTemplateOf(workload)
  const engine = asText(own(asRecord(workload.metadata.annotations), ENGINE_ANNOTATION))
  const job = jobPlanOf(workload)
  const cron = cronPlanOf(workload)
  const autoscale = autoscaleOf(objects)
  const replicas = replicasOf(workload, job?.parallelism)
  const claims = claimsOf(objects)
  const resources = resourcesOf(spec)
  return {
    kind: workload.kind as WorkloadKind,
    namespace: workload.metadata.namespace as string,
    name: workload.metadata.name,
    replicas,
    perNode: workload.kind === 'DaemonSet',
    resources: {
      ...resources,
      storageBytes: claims.reduce((sum, { sizeBytes }) => sum + sizeBytes, resources.storageBytes)
    },
    ...portsOf(spec, servicesOf(workload, objects), problem),
    claims,
    rollout: rolloutOf(workload, replicas),
    placement: placementOf(workload),
    recovery: recoveryOf({ kind: workload.kind as WorkloadKind, claims, objects }),
    ...(job === undefined ? {} : { job }),
    ...(cron === undefined ? {} : { cron }),
    ...(autoscale === undefined ? {} : { autoscale }),
    ...(engine === undefined ? {} : { engine }),
    objects
  }
}

function replicasOf({ kind, spec }: KubeObject, parallelism: number | undefined): number {
  if (parallelism !== undefined) return parallelism
  if (kind === 'Pod' || kind === 'DaemonSet') return 1
  return (asRecord(spec).replicas as number | undefined) ?? 1
}

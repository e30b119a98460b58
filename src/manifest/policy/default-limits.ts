import { PIDS_LIMIT_ANNOTATION } from '../constants.ts'
import { amountsOf, resourcesOf } from '../objects/amounts.ts'
import { asRecord } from '../objects/json.ts'
import { type Container, jobSpecOf, type PodSpec, podTemplateOf, workloadOf } from '../objects/kube.ts'
import { pidsLimitOf } from '../plans/annotations.ts'
import type { KubeObject, Manifest } from '../types.ts'
import type { PolicyLimits, SandboxRules } from './types.ts'

/** What a container that states no limit gets: the policy's default, and no more than it allows at most. */
export function limitsOf({ defaultLimits, maxPerContainer, egress }: SandboxRules): PolicyLimits {
  const keys = ['cpuMillis', 'memoryBytes', 'pids'] as const
  const least = keys.map((key) => {
    const stated = [defaultLimits[key], maxPerContainer[key]].filter((one) => one !== undefined)
    return [key, stated.length === 0 ? undefined : Math.min(...stated)] as const
  })
  const limits = Object.fromEntries(least.filter(([, value]) => value !== undefined))
  return egress === 'deny' ? { ...limits, network: 'none' } : limits
}

/**
 * The same manifest with limits written where it states none, and with the resources that follow. Pure. Call it after the record was
 * checked against the manifest, because the record promises what the owner wrote.
 */
export function withDefaultLimits(manifest: Manifest, limits: PolicyLimits): Manifest {
  if (Object.keys(limits).length === 0) return manifest
  const [, ...others] = manifest.objects
  const workload = workloadOf(manifest)
  const spec = limitedSpec(podTemplateOf(workload).spec, limits)
  const limited = withPids(withSpec(workload, spec), pidsLimitOf(manifest) ?? limits.pids)
  return {
    ...manifest,
    resources: { ...resourcesOf(spec), storageBytes: manifest.resources.storageBytes },
    objects: [limited, ...others],
    ...(limits.network === 'none' ? { isolated: true } : {})
  }
}

function limitedSpec(spec: PodSpec, limits: PolicyLimits): PodSpec {
  const limited = (containers: readonly Container[]) => containers.map((one) => limitedContainer(one, limits))
  return {
    ...spec,
    ...(spec.initContainers === undefined ? {} : { initContainers: limited(spec.initContainers) }),
    containers: limited(spec.containers)
  }
}

function limitedContainer(container: Container, { cpuMillis, memoryBytes }: PolicyLimits): Container {
  const stated = amountsOf(container, 'limits')
  const asked = amountsOf(container, 'requests')
  // because a default below what the container asks for would refuse it its own request
  const cpu = cpuMillis === undefined ? undefined : Math.max(cpuMillis, asked.cpuMillis ?? 0)
  const memory = memoryBytes === undefined ? undefined : Math.max(memoryBytes, asked.memoryBytes ?? 0)
  const added = {
    ...(stated.cpuMillis === undefined && cpu !== undefined ? { cpu: `${cpu}m` } : {}),
    ...(stated.memoryBytes === undefined && memory !== undefined ? { memory: String(memory) } : {})
  }
  if (Object.keys(added).length === 0) return container
  const { resources } = container
  return { ...container, resources: { ...resources, limits: { ...resources?.limits, ...added } } }
}

/** The workload with another pod spec in the place where its kind has it. */
function withSpec(workload: KubeObject, spec: PodSpec): KubeObject {
  if (workload.kind === 'Pod') return { ...workload, spec }
  const inTemplate = (owner: Readonly<Record<string, unknown>>) => ({
    ...owner,
    template: { ...asRecord(owner.template), spec }
  })
  const outer = asRecord(workload.spec)
  if (workload.kind !== 'CronJob') return { ...workload, spec: inTemplate(outer) }
  const jobTemplate = { ...asRecord(outer.jobTemplate), spec: inTemplate(jobSpecOf(workload) ?? {}) }
  return { ...workload, spec: { ...outer, jobTemplate } }
}

function withPids(workload: KubeObject, pids: number | undefined): KubeObject {
  if (pids === undefined) return workload
  const annotations = { ...asRecord(workload.metadata.annotations), [PIDS_LIMIT_ANNOTATION]: String(pids) }
  return { ...workload, metadata: { ...workload.metadata, annotations } }
}

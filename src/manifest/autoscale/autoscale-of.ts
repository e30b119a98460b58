import { amountsOf } from '../objects/amounts.ts'
import { podTemplateOf } from '../objects/kube.ts'
import type { KubeObject } from '../types.ts'
import type { Autoscale, AutoscaleMetric, ScalingRules } from './types.ts'

export const AUTOSCALER_KIND = 'HorizontalPodAutoscaler'

/** Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/ */
const DEFAULT_METRICS: readonly AutoscaleMetric[] = [{ resource: 'cpu', utilization: 80 }]
const DEFAULT_SCALE_UP: ScalingRules = {
  stabilizationMs: 0,
  select: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodMs: 15_000 },
    { type: 'Percent', value: 100, periodMs: 15_000 }
  ]
}
const DEFAULT_SCALE_DOWN: ScalingRules = {
  stabilizationMs: 300_000,
  select: 'Max',
  policies: [{ type: 'Percent', value: 100, periodMs: 15_000 }]
}

interface KubeRules {
  readonly stabilizationWindowSeconds?: number
  readonly selectPolicy?: ScalingRules['select']
  readonly policies?: readonly {
    readonly type: 'Pods' | 'Percent'
    readonly value: number
    readonly periodSeconds: number
  }[]
}

interface KubeAutoscaler {
  readonly scaleTargetRef: { readonly kind: string; readonly name: string }
  readonly minReplicas?: number
  readonly maxReplicas: number
  readonly metrics?: readonly {
    readonly resource: {
      readonly name: 'cpu' | 'memory'
      readonly target: { readonly averageUtilization: number }
    }
  }[]
  readonly behavior?: { readonly scaleUp?: KubeRules; readonly scaleDown?: KubeRules }
}

/** The autoscalers among validated objects of the workload's namespace that scale it. */
export function autoscalersOf(workload: KubeObject, objects: readonly KubeObject[]): KubeObject[] {
  return objects.filter(({ kind, spec }) => {
    if (kind !== AUTOSCALER_KIND) return false
    const target = (spec as KubeAutoscaler).scaleTargetRef
    return target.kind === workload.kind && target.name === workload.metadata.name
  })
}

/** How a validated workload is scaled; undefined when nothing scales it. @param objects the workload first */
export function autoscaleOf([workload, ...others]: readonly [KubeObject, ...KubeObject[]]):
  | Autoscale
  | undefined {
  const [autoscaler] = autoscalersOf(workload, others)
  if (autoscaler === undefined) return undefined
  const { minReplicas = 1, maxReplicas, metrics, behavior } = autoscaler.spec as KubeAutoscaler
  const { containers } = podTemplateOf(workload).spec
  const requested = (key: 'cpuMillis' | 'memoryBytes') =>
    containers.reduce(
      (sum, one) => sum + (amountsOf(one, 'requests')[key] ?? amountsOf(one, 'limits')[key] ?? 0),
      0
    )
  return {
    minReplicas,
    maxReplicas,
    metrics:
      metrics?.map(({ resource: { name, target } }) => ({
        resource: name,
        utilization: target.averageUtilization
      })) ?? DEFAULT_METRICS,
    requests: { cpuMillis: requested('cpuMillis'), memoryBytes: requested('memoryBytes') },
    behaviour: {
      scaleUp: withDefaults(behavior?.scaleUp, DEFAULT_SCALE_UP),
      scaleDown: withDefaults(behavior?.scaleDown, DEFAULT_SCALE_DOWN)
    }
  }
}

function withDefaults(rules: KubeRules | undefined, defaults: ScalingRules): ScalingRules {
  const { stabilizationWindowSeconds, selectPolicy, policies } = rules ?? {}
  return {
    stabilizationMs:
      stabilizationWindowSeconds === undefined ? defaults.stabilizationMs : stabilizationWindowSeconds * 1000,
    select: selectPolicy ?? defaults.select,
    policies:
      policies?.map(({ type, value, periodSeconds }) => ({ type, value, periodMs: periodSeconds * 1000 })) ??
      defaults.policies
  }
}

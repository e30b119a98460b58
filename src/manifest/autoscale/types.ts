/** How many copies there are, by what those that run use: a HorizontalPodAutoscaler, with Kubernetes' defaults filled in. */
export interface Autoscale {
  readonly minReplicas: number
  readonly maxReplicas: number
  /** At least one; the one that asks for most copies counts. */
  readonly metrics: readonly AutoscaleMetric[]
  /** What the containers of one copy request together; utilisation is percent of it. */
  readonly requests: { readonly cpuMillis: number; readonly memoryBytes: number }
  readonly behaviour: { readonly scaleUp: ScalingRules; readonly scaleDown: ScalingRules }
}

export interface AutoscaleMetric {
  readonly resource: 'cpu' | 'memory'
  /** Wanted on average, percent. */
  readonly utilization: number
}

export interface ScalingRules {
  /** The mildest of what was wanted in so long is done. 0: no looking back. */
  readonly stabilizationMs: number
  /** Which policy counts: of the largest change, of the smallest, or no change. */
  readonly select: 'Max' | 'Min' | 'Disabled'
  readonly policies: readonly ScalingPolicy[]
}

/** At most so many copies, or percent of those at its beginning, within a period. */
export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent'
  readonly value: number
  readonly periodMs: number
}

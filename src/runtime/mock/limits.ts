import { parseQuantity } from '../parts/index.ts'
import type { PodDocument } from '../types.ts'

/** Sum of `resources.limits` over the pod's containers; what is not stated counts as 0. */
export function sumLimits(pod: PodDocument): { cpuMillis: number; memoryBytes: number } {
  let cpuMillis = 0
  let memoryBytes = 0
  for (const { resources } of pod.spec.containers) {
    const limits = (resources as { limits?: { cpu?: unknown; memory?: unknown } } | undefined)?.limits
    cpuMillis += (parseQuantity(limits?.cpu) ?? 0) * 1000
    memoryBytes += parseQuantity(limits?.memory) ?? 0
  }
  return { cpuMillis, memoryBytes }
}

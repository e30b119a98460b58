import type { PodDocument } from '../types.ts'

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40
}

/** Sum of `resources.limits` over the pod's containers; what is not stated counts as 0. */
export function sumLimits(pod: PodDocument): { cpuMillis: number; memoryBytes: number } {
  let cpuMillis = 0
  let memoryBytes = 0
  for (const { resources } of pod.spec.containers) {
    const limits = (resources as { limits?: { cpu?: unknown; memory?: unknown } } | undefined)?.limits
    cpuMillis += toCpuMillis(limits?.cpu)
    memoryBytes += toBytes(limits?.memory)
  }
  return { cpuMillis, memoryBytes }
}

function toCpuMillis(quantity: unknown): number {
  const text = String(quantity ?? 0)
  return text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000
}

function toBytes(quantity: unknown): number {
  const [, digits = '0', unit = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(String(quantity ?? 0)) ?? []
  return Number(digits) * (FACTORS[unit] ?? 1)
}

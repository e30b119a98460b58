import type { ManifestResources } from '../types.ts'
import type { Container, Quantity } from './kube.ts'
import { parseCpuMillis, parseMemoryBytes } from './quantity.ts'

/** cpu in millicores and memory in bytes, as written; undefined where not stated. */
export interface Amounts {
  readonly cpuMillis: number | undefined
  readonly memoryBytes: number | undefined
}

/** Amounts of a validated container. */
export function amountsOf(container: Container, group: 'limits' | 'requests'): Amounts {
  const { cpu, memory } = container.resources?.[group] ?? {}
  const read = (value: Quantity | undefined, parse: (value: Quantity) => number | undefined) =>
    value === undefined ? undefined : parse(value)
  return { cpuMillis: read(cpu, parseCpuMillis), memoryBytes: read(memory, parseMemoryBytes) }
}

/**
 * What one copy reserves: requests where stated, else limits, summed over the containers; init containers run alone,
 * so the largest of them counts when it is more.
 */
export function resourcesOf(spec: {
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
}): ManifestResources {
  const reserve = (container: Container, key: keyof Amounts): number =>
    amountsOf(container, 'requests')[key] ?? amountsOf(container, 'limits')[key] ?? 0
  const total = (amount: (container: Container) => number): number =>
    Math.max(
      spec.containers.reduce((sum, one) => sum + amount(one), 0),
      ...(spec.initContainers ?? []).map(amount)
    )
  return {
    cpuMillis: total((one) => reserve(one, 'cpuMillis')),
    memoryBytes: total((one) => reserve(one, 'memoryBytes')),
    storageBytes: total((one) => parseMemoryBytes(one.resources?.requests?.['ephemeral-storage'] ?? 0) ?? 0)
  }
}

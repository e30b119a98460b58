import { MIN_CPU_LIMIT_MILLIS, MIN_MEMORY_LIMIT_BYTES } from './constants.ts'
import { asRecord, type JsonRecord } from './json.ts'
import type { Container, Quantity } from './kube.ts'
import { parseCpuMillis, parseMemoryBytes } from './quantity.ts'
import type { Report } from './report.ts'
import type { ManifestResources } from './types.ts'

const RESOURCES = [
  {
    name: 'cpu',
    parse: parseCpuMillis,
    min: MIN_CPU_LIMIT_MILLIS,
    shape: 'cores in whole millicores, such as 500m or 0.5',
    least: '10m'
  },
  {
    name: 'memory',
    parse: parseMemoryBytes,
    min: MIN_MEMORY_LIMIT_BYTES,
    shape: 'whole bytes, such as 64Mi or 1G',
    least: '6Mi'
  }
] as const

/** Reports quantities that are none, limits too small to start with, and requests above their limit. */
export function checkResources(container: JsonRecord, path: string, report: Report): void {
  const resources = asRecord(container.resources)
  for (const { name, parse, min, shape, least } of RESOURCES) {
    const read = (group: 'limits' | 'requests'): number | undefined => {
      const raw = asRecord(resources[group])[name]
      if (typeof raw !== 'string' && typeof raw !== 'number') return undefined
      const amount = parse(raw)
      const at = `${path}.resources.${group}.${name}`
      if (amount === undefined) report(at, 'quantity', `must be ${shape}`, { value: raw })
      else if (group === 'limits' && amount < min)
        report(at, 'minimum', `must be at least ${least}: with less a container does not start`, {
          value: raw
        })
      return amount
    }
    const limit = read('limits')
    const request = read('requests')
    if (limit !== undefined && request !== undefined && request > limit)
      report(`${path}.resources.requests.${name}`, 'maximum', 'must not be above the limit', {
        value: asRecord(resources.requests)[name]
      })
  }
}

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
  const total = (key: keyof Amounts): number =>
    Math.max(
      spec.containers.reduce((sum, one) => sum + reserve(one, key), 0),
      ...(spec.initContainers ?? []).map((one) => reserve(one, key))
    )
  return { cpuMillis: total('cpuMillis'), memoryBytes: total('memoryBytes') }
}

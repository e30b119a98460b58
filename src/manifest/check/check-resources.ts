import { MIN_CPU_LIMIT_MILLIS, MIN_MEMORY_LIMIT_BYTES } from '../constants.ts'
import { asRecord, type JsonRecord } from '../objects/json.ts'
import { parseCpuMillis, parseMemoryBytes } from '../objects/quantity.ts'
import type { Report } from './report.ts'

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
  },
  {
    name: 'ephemeral-storage',
    parse: parseMemoryBytes,
    min: 0,
    shape: 'whole bytes, such as 1Gi',
    least: '0'
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

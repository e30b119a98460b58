import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import serialize from 'canonicalize'
import { safeText } from '../../common/index.ts'
import { MAX_REPLICAS } from '../constants.ts'
import { ManifestError } from '../errors.ts'
import type { Autoscale } from './types.ts'

/** Longest text in a record, bytes. Source: fbs/record.fbs. */
export const MAX_AUTOSCALE_BYTES = 4096

const whole = (minimum: number, maximum: number) => ({ type: 'integer', minimum, maximum })
const object = (properties: Readonly<Record<string, object>>) => ({
  type: 'object',
  required: Object.keys(properties),
  additionalProperties: false,
  properties
})
const rules = object({
  stabilizationMs: whole(0, 3_600_000),
  select: { enum: ['Max', 'Min', 'Disabled'] },
  policies: {
    type: 'array',
    minItems: 1,
    maxItems: 16,
    items: object({
      type: { enum: ['Pods', 'Percent'] },
      value: whole(1, 1_000_000),
      periodMs: whole(1, 1_800_000)
    })
  }
})
export const AUTOSCALE_SCHEMA = object({
  minReplicas: whole(1, MAX_REPLICAS),
  maxReplicas: whole(1, MAX_REPLICAS),
  metrics: {
    type: 'array',
    minItems: 1,
    maxItems: 4,
    items: object({ resource: { enum: ['cpu', 'memory'] }, utilization: whole(1, 10_000) })
  },
  requests: object({
    cpuMillis: { type: 'number', minimum: 0, maximum: 1e9 },
    memoryBytes: { type: 'number', minimum: 0, maximum: 2 ** 53 }
  }),
  behaviour: object({ scaleUp: rules, scaleDown: rules })
})

let compiled: ValidateFunction<Autoscale> | undefined

/** The one text of how a workload is scaled, RFC 8785 JSON; what a record carries. */
export function canonicalAutoscale(autoscale: Autoscale): string {
  return serialize(autoscale)!
}

/**
 * Reads what {@link canonicalAutoscale} wrote, out of a record that somebody else signed.
 * @throws ManifestError MANIFEST_TOO_LARGE above {@link MAX_AUTOSCALE_BYTES}, MANIFEST_NOT_CANONICAL for everything else
 */
export function parseAutoscale(text: string): Autoscale {
  if (text.length > MAX_AUTOSCALE_BYTES || Buffer.byteLength(text) > MAX_AUTOSCALE_BYTES)
    throw new ManifestError(
      'MANIFEST_TOO_LARGE',
      `rules for scaling have at most ${MAX_AUTOSCALE_BYTES} bytes`
    )
  let autoscale: unknown
  try {
    autoscale = JSON.parse(text)
  } catch {
    throw wrong('they are no JSON')
  }
  compiled ??= new Ajv2020({
    strictTypes: false,
    strictRequired: false,
    validateSchema: false
  }).compile<Autoscale>(AUTOSCALE_SCHEMA)
  if (!compiled(autoscale)) {
    const [error] = compiled.errors ?? []
    throw wrong(safeText(`${error?.instancePath ?? ''} ${error?.message ?? ''}`.trim(), 200))
  }
  if (autoscale.minReplicas > autoscale.maxReplicas) throw wrong('minReplicas is above maxReplicas')
  if (canonicalAutoscale(autoscale) !== text)
    throw wrong('the text differs from the canonical form of what it holds')
  return autoscale
}

function wrong(why: string): ManifestError {
  return new ManifestError('MANIFEST_NOT_CANONICAL', `these are no rules for scaling: ${why}`, {
    hint: 'the owner must apply it again with a beemesh of the same version'
  })
}

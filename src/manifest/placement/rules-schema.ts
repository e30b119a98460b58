import { MAX_NAMED_NODES, STRATEGIES } from '../constants.ts'

/** A name, or a peer ID. */
export const NODE_PATTERN = /^(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?|[1-9A-HJ-NP-Za-km-z]{20,128})$/

const key = {
  type: 'string',
  maxLength: 317,
  pattern: '^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'
}
const value = { type: 'string', maxLength: 63, pattern: '^[-A-Za-z0-9_.]*$' }
const weight = { type: 'integer', minimum: 1, maximum: 100 }

/** All properties are there and no others, but for those that may be missing. */
function object(properties: Readonly<Record<string, object>>, optional: readonly string[] = []): object {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', required, additionalProperties: false, properties }
}

function list(items: object, maxItems: number): object {
  return { type: 'array', maxItems, items }
}

const term = object({
  expressions: list(
    object({
      key,
      operator: { enum: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] },
      values: list(value, 32)
    }),
    16
  ),
  fields: list(
    object({
      key: { const: 'metadata.name' },
      operator: { enum: ['In', 'NotIn'] },
      values: { ...list(value, 1), minItems: 1 }
    }),
    4
  )
})

/** Placement rules in a record, at most as much as schemas/manifest/placement.schema.json lets a manifest say. */
export const RULES_SCHEMA = object({
  strategy: { enum: STRATEGIES },
  nodes: list({ type: 'string', maxLength: 128, pattern: NODE_PATTERN.source }, MAX_NAMED_NODES),
  nodeSelector: { type: 'object', maxProperties: 32, propertyNames: key, additionalProperties: value },
  requiredTerms: list(term, 16),
  preferredTerms: list(object({ weight, term }), 16),
  apart: list(
    {
      oneOf: [
        object({ topologyKey: key, required: { const: true }, weight: { const: 0 } }),
        object({ topologyKey: key, required: { const: false }, weight })
      ]
    },
    16
  ),
  tolerations: list(
    object(
      {
        key,
        operator: { enum: ['Equal', 'Exists'] },
        value,
        effect: { enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] }
      },
      ['key', 'value', 'effect']
    ),
    16
  ),
  spread: list(
    object({
      maxSkew: { type: 'integer', minimum: 1, maximum: 1000 },
      topologyKey: key,
      required: { type: 'boolean' }
    }),
    8
  ),
  priority: { type: 'integer', minimum: -1_000_000_000, maximum: 2_000_001_000 }
})

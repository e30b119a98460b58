import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { packageFile } from '../../common/index.ts'
import { MAX_COLLECTED } from '../constants.ts'
import { asRecord, asText, isRecord, type JsonRecord, joinPath } from '../objects/json.ts'
import { nearestName } from './nearest-name.ts'
import type { Report } from './report.ts'

/** The schema files under schemas/manifest, in the order in which people should read them. */
export const SCHEMA_NAMES = [
  'pod',
  'deployment',
  'stateful-set',
  'daemon-set',
  'job',
  'cron-job',
  'config-map',
  'secret',
  'persistent-volume-claim',
  'service',
  'horizontal-pod-autoscaler',
  'namespace',
  'metadata',
  'pod-spec',
  'placement',
  'container',
  'probe',
  'volume',
  'security-context',
  'workload',
  'common'
] as const

export type SchemaName = (typeof SCHEMA_NAMES)[number]

const SCHEMA_OF_KIND: Readonly<Record<string, SchemaName>> = {
  Pod: 'pod',
  Deployment: 'deployment',
  StatefulSet: 'stateful-set',
  DaemonSet: 'daemon-set',
  Job: 'job',
  CronJob: 'cron-job',
  ConfigMap: 'config-map',
  Secret: 'secret',
  PersistentVolumeClaim: 'persistent-volume-claim',
  Service: 'service',
  HorizontalPodAutoscaler: 'horizontal-pod-autoscaler',
  Namespace: 'namespace'
}

/** One schema file as JSON. Reads the package's own file, next to src and dist alike. */
export function readSchema(name: SchemaName): JsonRecord {
  const url = packageFile(`schemas/manifest/${name}.schema.json`)
  return JSON.parse(readFileSync(url, 'utf8')) as JsonRecord
}

let compiled: Ajv2020 | undefined

/** Compiled on first use (about 60 ms), because commands that never read a manifest must not pay for it. */
function validatorOf(kind: string): ValidateFunction {
  if (compiled === undefined) {
    compiled = new Ajv2020({
      allErrors: true,
      verbose: true,
      strictTypes: false,
      strictRequired: false,
      // because the schemas are ours and a test compiles them; checking them again costs every start
      validateSchema: false
    })
    compiled.addVocabulary(['x-support', 'x-reason', 'x-shape'])
    for (const name of SCHEMA_NAMES) compiled.addSchema(readSchema(name))
  }
  const id = `https://beemesh.io/schemas/manifest/${SCHEMA_OF_KIND[kind]}.schema.json`
  return compiled.getSchema(id) as ValidateFunction
}

/** Errors up to which a name is compared with what could be meant: 3,000 names like a known one took a node 240 ms. */
const MAX_COMPARED = 100

/**
 * Reports every field of one document that its JSON Schema does not allow.
 * @param kind one of the supported kinds
 */
export function checkSchema(kind: string, value: JsonRecord, report: Report): void {
  const validate = validatorOf(kind)
  if (validate(value)) return
  for (const [index, error] of (validate.errors ?? []).slice(0, MAX_COLLECTED).entries())
    reportError(error, { root: value, suggests: index < MAX_COMPARED }, report)
}

interface Problem {
  readonly path: string
  readonly rule: string
  readonly message: string
  readonly isUnsupported?: boolean
  /** False where what was written says nothing. */
  readonly isShown?: boolean
}

interface Place {
  readonly root: JsonRecord
  /** Whether an unknown field is compared with what could be meant. */
  readonly suggests: boolean
}

function reportError(error: ErrorObject, place: Place, report: Report): void {
  const problem = toProblem(error, place)
  if (problem === undefined) return
  const { path, rule, message, isUnsupported = false, isShown = false } = problem
  report(path, rule, message, {
    ...(isShown ? { value: error.data } : {}),
    ...(isUnsupported ? { code: 'MANIFEST_UNSUPPORTED_FIELD' } : {})
  })
}

/** undefined for the second of two errors that say the same. */
function toProblem(error: ErrorObject, { root, suggests }: Place): Problem | undefined {
  const { keyword, params, data } = error
  const schema = asRecord(error.parentSchema)
  const reason = asText(schema['x-reason'])
  const path = toPath(error.instancePath, root)
  if (error.propertyName !== undefined) {
    const shape = asText(schema['x-shape']) ?? 'a valid name'
    return {
      path: joinPath(path, error.propertyName),
      rule: 'key',
      message: `has a key that is not ${shape}`
    }
  }
  switch (keyword) {
    case 'propertyNames':
      return undefined
    case 'additionalProperties': {
      const name = String(params.additionalProperty)
      const near = suggests ? nearestName(name, Object.keys(asRecord(schema.properties))) : undefined
      const message = `is not a field beemesh knows${near === undefined ? '' : `; did you mean ${near}?`}`
      return { path: joinPath(path, name), rule: 'unknown-field', message, isUnsupported: true }
    }
    case 'not':
      return {
        path,
        rule: 'refused',
        message: `is refused: ${reason ?? 'not supported'}`,
        isUnsupported: true,
        isShown: true
      }
    case 'required':
      return { path: joinPath(path, String(params.missingProperty)), rule: 'required', message: 'is missing' }
    case 'const':
    case 'enum': {
      const allowed = keyword === 'const' ? [params.allowedValue] : (params.allowedValues as unknown[])
      const choice = allowed.map((one) => JSON.stringify(one)).join(', ')
      const message = `must be ${allowed.length > 1 ? 'one of ' : ''}${choice}`
      if (reason === undefined) return { path, rule: 'choice', message, isShown: true }
      return {
        path,
        rule: 'refused',
        message: `is refused: ${reason}; it ${message}`,
        isUnsupported: true,
        isShown: true
      }
    }
    case 'pattern': {
      const message = describe(keyword, schema, data)
      if (reason === undefined) return { path, rule: keyword, message, isShown: true }
      const refusal = `is refused: ${reason}; it ${message}`
      return { path, rule: 'refused', message: refusal, isUnsupported: true, isShown: true }
    }
    default:
      return { path, rule: keyword, message: describe(keyword, schema, data), isShown: true }
  }
}

const SIZES: Readonly<Record<string, string>> = {
  minimum: 'must be at least',
  maximum: 'must be at most',
  minItems: 'must have at least this many items:',
  maxItems: 'must have at most this many items:',
  minLength: 'must have at least this many characters:',
  maxLength: 'must have at most this many characters:',
  minProperties: 'must have at least this many keys:',
  maxProperties: 'must have at most this many keys:'
}

function describe(keyword: string, schema: JsonRecord, data: unknown): string {
  if (keyword === 'type') {
    const types = [schema.type].flat().join(' or ')
    return `must be ${types}, got ${Array.isArray(data) ? 'array' : data === null ? 'null' : typeof data}`
  }
  if (keyword === 'pattern') return `must be ${asText(schema['x-shape']) ?? `like ${String(schema.pattern)}`}`
  const size = SIZES[keyword]
  const reason = asText(schema['x-reason'])
  const suffix = reason === undefined ? '' : ` (${reason})`
  return size === undefined ? `breaks the rule ${keyword}` : `${size} ${String(schema[keyword])}${suffix}`
}

/** A JSON pointer as a person writes it: `/spec/containers/0/image` becomes `spec.containers[0].image`. */
function toPath(pointer: string, root: unknown): string {
  let path = ''
  let value = root
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(value)) {
      path = joinPath(path, Number(key))
      value = value[Number(key)]
    } else {
      path = joinPath(path, key)
      value = isRecord(value) ? value[key] : undefined
    }
  }
  return path
}

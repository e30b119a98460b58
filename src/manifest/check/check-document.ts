import { checkAutoscaler } from '../autoscale/check-autoscale.ts'
import { MAX_COLLECTED, REFUSED_KINDS, SUPPORTED_KINDS, WORKLOAD_KINDS } from '../constants.ts'
import type { Violation } from '../errors.ts'
import { decodeBase64 } from '../objects/config-data.ts'
import { asRecord, asText, type JsonRecord, joinPath, own } from '../objects/json.ts'
import { checkMetadata } from './check-annotations.ts'
import { checkClaimSpec } from './check-claims.ts'
import { checkSchema } from './check-schema.ts'
import { checkService } from './check-service.ts'
import { checkWorkload } from './check-workload.ts'
import { createReport, type Report, type SourceDocument } from './report.ts'

/**
 * Reports everything wrong inside one document; what it refers to is checked later, over the whole file.
 * @returns whether the kind is one that beemesh knows
 */
export function checkDocument(document: SourceDocument, violations: Violation[]): boolean {
  const report = createReport(document, violations)
  const { value } = document
  const kind = checkKind(value, report)
  if (kind === undefined) return false
  const isWorkload = Object.hasOwn(WORKLOAD_KINDS, kind)
  // because one that is refused anyway is not looked at in full, document after document
  if (violations.length >= MAX_COLLECTED) return true
  checkSchema(kind, value, report)
  checkMetadata(asRecord(value.metadata), 'metadata', { isWorkload }, report)
  if (isWorkload) checkWorkload(kind, value, report)
  if (kind === 'Secret') checkBase64(value, 'data', report)
  if (kind === 'ConfigMap') checkConfigMap(value, report)
  if (kind === 'PersistentVolumeClaim') checkClaimSpec(asRecord(value.spec), 'spec', report)
  if (kind === 'Service') checkService(asRecord(value.spec), report)
  if (kind === 'HorizontalPodAutoscaler') checkAutoscaler(asRecord(value.spec), report)
  return true
}

function checkKind(value: JsonRecord, report: Report): string | undefined {
  const kind = asText(value.kind)
  const code = 'MANIFEST_UNSUPPORTED_KIND' as const
  if (kind === undefined) {
    report('kind', 'required', 'must say what this document is, such as Deployment', { code })
    return undefined
  }
  const apiVersion = own(SUPPORTED_KINDS, kind)
  if (apiVersion === undefined) {
    const supported = Object.keys(SUPPORTED_KINDS).join(', ')
    const reason = own(REFUSED_KINDS, kind) ?? `this kind is not supported; a file holds ${supported}`
    report('kind', 'kind', `is refused: ${reason}`, { code, value: kind })
    return undefined
  }
  if (value.apiVersion === apiVersion) return kind
  report('apiVersion', 'api-version', `must be ${apiVersion} for a ${kind}`, {
    value: value.apiVersion,
    code
  })
  return undefined
}

function checkConfigMap(value: JsonRecord, report: Report): void {
  checkBase64(value, 'binaryData', report)
  for (const key of Object.keys(asRecord(value.binaryData)))
    if (own(asRecord(value.data), key) !== undefined)
      report(joinPath('binaryData', key), 'unique', 'is in data too')
}

function checkBase64(value: JsonRecord, field: 'data' | 'binaryData', report: Report): void {
  for (const [key, content] of Object.entries(asRecord(value[field])))
    if (typeof content === 'string' && decodeBase64(content) === undefined)
      report(joinPath(field, key), 'base64', 'must be base64 with padding')
}

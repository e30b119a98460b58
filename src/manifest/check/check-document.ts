import { ENGINE_ANNOTATION, ENGINE_PATTERN, REFUSED_KINDS, SUPPORTED_KINDS } from '../constants.ts'
import type { Violation } from '../errors.ts'
import { decodeBase64 } from '../objects/config-data.ts'
import { asRecord, asText, type JsonRecord, joinPath, own } from '../objects/json.ts'
import { checkPod } from './check-pod.ts'
import { checkSchema } from './check-schema.ts'
import { createReport, type Report, type SourceDocument } from './report.ts'

/**
 * Reports everything wrong inside one document; what it refers to is checked later, over the whole file.
 * @returns whether the kind is one that beemesh knows
 */
export function checkDocument(document: SourceDocument, violations: Violation[]): boolean {
  const report = createReport(document, violations)
  const kind = checkKind(document.value, report)
  if (kind === undefined) return false
  checkSchema(kind, document.value, report)
  checkMetadata(kind, asRecord(document.value.metadata), report)
  if (kind === 'Pod') checkPod(asRecord(document.value.spec), 'spec', report)
  if (kind === 'Deployment') checkDeployment(asRecord(document.value.spec), report)
  if (kind === 'Secret') checkBase64(document.value, 'data', report)
  if (kind === 'ConfigMap') checkConfigMap(document.value, report)
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
    const reason =
      own(REFUSED_KINDS, kind) ??
      'this kind is not supported; a manifest holds Pod, Deployment, ConfigMap, Secret'
    report('', 'kind', `is refused: ${reason}`, { code })
    return undefined
  }
  if (value.apiVersion === apiVersion) return kind
  report('apiVersion', 'api-version', `must be ${apiVersion} for a ${kind}`, {
    value: value.apiVersion,
    code
  })
  return undefined
}

const RESERVED_LABELS = ['io.podman', 'io.containers', 'com.docker']
// because these older annotations change the sandbox in Kubernetes and would have no effect here
const SANDBOX_ANNOTATIONS = [
  'container.apparmor.security.beta.kubernetes.io',
  'seccomp.security.alpha.kubernetes.io'
]

function checkMetadata(kind: string, metadata: JsonRecord, report: Report): void {
  checkLabels(metadata, 'metadata', report)
  const isWorkload = kind === 'Pod' || kind === 'Deployment'
  checkAnnotations(metadata, 'metadata', isWorkload, report)
  const engine = own(asRecord(metadata.annotations), ENGINE_ANNOTATION)
  if (isWorkload && engine !== undefined && !ENGINE_PATTERN.test(String(engine)))
    report(`metadata.annotations["${ENGINE_ANNOTATION}"]`, 'pattern', 'must name an engine, such as podman')
}

/** Whether a label or annotation is in the domain, or one below it, that beemesh keeps for itself. */
function isOurs(key: string): boolean {
  const [domain = ''] = key.split('/')
  return key.includes('/') && (domain === 'beemesh.io' || domain.endsWith('.beemesh.io'))
}

function checkLabels(metadata: JsonRecord, path: string, report: Report): void {
  for (const key of Object.keys(asRecord(metadata.labels)))
    if (isOurs(key) || RESERVED_LABELS.some((prefix) => key.startsWith(prefix)))
      report(
        joinPath(`${path}.labels`, key),
        'reserved',
        'is refused: this prefix belongs to the node and its engine',
        {
          code: 'MANIFEST_UNSUPPORTED_FIELD'
        }
      )
}

function checkAnnotations(metadata: JsonRecord, path: string, isWorkload: boolean, report: Report): void {
  const code = 'MANIFEST_UNSUPPORTED_FIELD' as const
  for (const key of Object.keys(asRecord(metadata.annotations))) {
    const at = joinPath(`${path}.annotations`, key)
    if (isOurs(key) && !(isWorkload && key === ENGINE_ANNOTATION))
      report(
        at,
        'reserved',
        `is refused: the only one supported is ${ENGINE_ANNOTATION}, on the workload itself`,
        { code }
      )
    if (SANDBOX_ANNOTATIONS.some((prefix) => key.startsWith(prefix)))
      report(at, 'refused', 'is refused: the engine chooses the profile', { code })
  }
}

function checkDeployment(spec: JsonRecord, report: Report): void {
  const template = asRecord(spec.template)
  const metadata = asRecord(template.metadata)
  checkLabels(metadata, 'spec.template.metadata', report)
  checkAnnotations(metadata, 'spec.template.metadata', false, report)
  const labels = asRecord(metadata.labels)
  for (const [key, value] of Object.entries(asRecord(asRecord(spec.selector).matchLabels)))
    if (own(labels, key) !== value)
      report(
        joinPath('spec.selector.matchLabels', key),
        'selector',
        'must be in spec.template.metadata.labels too',
        { value }
      )
  const pod = asRecord(template.spec)
  if (pod.restartPolicy !== undefined && pod.restartPolicy !== 'Always')
    report('spec.template.spec.restartPolicy', 'choice', 'must be "Always" in a Deployment', {
      value: pod.restartPolicy
    })
  checkPod(pod, 'spec.template.spec', report)
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

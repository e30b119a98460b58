import { autoscalersOf } from './autoscale/autoscale-of.ts'
import { checkAutoscaleUse } from './autoscale/check-autoscale.ts'
import { checkClaimUse } from './check/check-claims.ts'
import { checkDocument } from './check/check-document.ts'
import { resolveReferences } from './check/references.ts'
import { createReport, type Report, type SourceDocument } from './check/report.ts'
import { DEFAULT_NAMESPACE, WORKLOAD_KINDS } from './constants.ts'
import { ManifestError, toManifestError, type Violation } from './errors.ts'
import { asRecord, asText } from './objects/json.ts'
import { checkRulesSize } from './placement/check-placement.ts'
import { servicesOf } from './plans/ports.ts'
import { stripClusterFields } from './read/strip-cluster-fields.ts'
import { toManifest } from './to-manifest.ts'
import type { KubeObject, Manifest } from './types.ts'

interface CheckedDocument {
  readonly source: SourceDocument
  readonly object: KubeObject
}

interface BuildOptions {
  readonly file?: string | undefined
  readonly namespace?: string | undefined
  /** Found on the way here, to be thrown with what is found now. */
  readonly violations?: readonly Violation[]
  /** A last look at each manifest; may throw a ManifestError, whose violations are collected. */
  readonly inspect?: (manifest: Manifest) => void
}

/**
 * Validates documents and puts each workload together with what it uses.
 * @throws ManifestError with every violation of every document
 */
export function buildManifests(documents: readonly SourceDocument[], options: BuildOptions = {}): Manifest[] {
  const { file, namespace = DEFAULT_NAMESPACE, inspect } = options
  const violations: Violation[] = [...(options.violations ?? [])]
  const known = documents.map(stripClusterFields).filter((document) => checkDocument(document, violations))
  checkUnique(known, namespace, violations)
  // because what refers to what can be read only from documents that are sound
  if (violations.length > 0) throw toManifestError(violations, file)
  const checked = known.map((source) => ({ source, object: withNamespace(source, namespace) }))
  const manifests = joinObjects(checked, violations)
  if (violations.length > 0) throw toManifestError(violations, file)
  for (const { manifest, source } of manifests) {
    try {
      inspect?.(manifest)
    } catch (thrown) {
      if (!(thrown instanceof ManifestError)) throw thrown
      violations.push(...thrown.violations.map((one) => ({ ...one, document: source.index })))
    }
  }
  if (violations.length > 0) throw toManifestError(violations, file)
  return manifests.map(({ manifest }) => manifest)
}

function namespaceOf({ value }: SourceDocument, fallback: string): string {
  return asText(asRecord(value.metadata).namespace) ?? fallback
}

function withNamespace(source: SourceDocument, fallback: string): KubeObject {
  const metadata = { ...asRecord(source.value.metadata), namespace: namespaceOf(source, fallback) }
  return { ...source.value, metadata } as unknown as KubeObject
}

function checkUnique(documents: readonly SourceDocument[], namespace: string, violations: Violation[]): void {
  const seen = new Map<string, number>()
  for (const document of documents) {
    const name = asText(asRecord(document.value.metadata).name)
    if (name === undefined) continue // reported already
    const key = `${asText(document.value.kind)} ${namespaceOf(document, namespace)}/${name}`
    const first = seen.get(key)
    if (first === undefined) seen.set(key, document.index)
    else createReport(document, violations)('metadata.name', 'unique', `is the name of document ${first} too`)
  }
}

function joinObjects(
  checked: readonly CheckedDocument[],
  violations: Violation[]
): { readonly manifest: Manifest; readonly source: SourceDocument }[] {
  const isWorkload = ({ object }: CheckedDocument) => Object.hasOwn(WORKLOAD_KINDS, object.kind)
  const workloads = checked.filter(isWorkload)
  const others = checked.filter((one) => !isWorkload(one))
  const users = new Map<KubeObject, string[]>()
  const manifests = workloads.map(({ source, object }) => {
    const available = others
      .map((one) => one.object)
      .filter(({ metadata }) => metadata.namespace === object.metadata.namespace)
    const report = createReport(source, violations)
    const uses = [
      ...resolveReferences(object, available, report),
      ...(servicesOf(object, available) as readonly object[] as readonly KubeObject[]),
      ...autoscalersOf(object, available)
    ].sort((a, b) => (`${a.kind} ${a.metadata.name}` < `${b.kind} ${b.metadata.name}` ? -1 : 1))
    for (const one of uses)
      users.set(one, [...(users.get(one) ?? []), `${object.kind} ${object.metadata.name}`])
    const reportFor = (used: object) => {
      const found = others.find((one) => (one.object as object) === used)
      return createReport(found?.source ?? source, violations)
    }
    const manifest = toManifest([object, ...uses], (service, path, rule, message) =>
      reportFor(service)(path, rule, message)
    )
    checkAutoscaleUse(manifest, reportFor)
    checkClaimUse(manifest, report)
    checkRulesSize(manifest, report)
    return { source, manifest }
  })
  const namespaces = new Set(workloads.map(({ object }) => object.metadata.namespace))
  for (const { source, object } of others)
    checkUse(object, { users: users.get(object) ?? [], namespaces }, createReport(source, violations))
  if (checked.length === 0) {
    const message = `holds no workload: write a ${Object.keys(WORKLOAD_KINDS).join(', ')}`
    violations.push({ code: 'MANIFEST_INVALID', document: 1, path: '', rule: 'no-workload', message })
  }
  return manifests
}

/** Reports a document that no workload uses, and a claim that two do. */
function checkUse(
  { kind, metadata }: KubeObject,
  {
    users,
    namespaces
  }: { readonly users: readonly string[]; readonly namespaces: ReadonlySet<string | undefined> },
  report: Report
): void {
  const place = `in this file, in namespace ${metadata.namespace ?? ''}`
  if (kind === 'Namespace') {
    if (!namespaces.has(metadata.name))
      report(
        'metadata.name',
        'unused',
        'is the namespace of no workload in this file; leave the document out'
      )
  } else if (users.length === 0 && kind === 'Service')
    report('spec.selector', 'unused', `matches the pods of no workload ${place}`)
  else if (users.length === 0 && kind === 'HorizontalPodAutoscaler')
    report('spec.scaleTargetRef', 'unused', `names no workload ${place}`)
  else if (users.length === 0) report('metadata.name', 'unused', `is used by nothing ${place}`)
  else if (users.length > 1 && kind === 'PersistentVolumeClaim')
    report(
      'metadata.name',
      'shared',
      `is refused: ${users.join(' and ')} cannot share a volume, because each may run on another machine; write a claim for each`,
      { code: 'MANIFEST_UNSUPPORTED_FIELD' }
    )
}

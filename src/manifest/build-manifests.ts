import { checkDocument } from './check/check-document.ts'
import { resolveReferences } from './check/references.ts'
import { createReport, type SourceDocument } from './check/report.ts'
import { DEFAULT_NAMESPACE, ENGINE_ANNOTATION } from './constants.ts'
import { ManifestError, toManifestError, type Violation } from './errors.ts'
import { resourcesOf } from './objects/amounts.ts'
import { asRecord, asText, own } from './objects/json.ts'
import { podTemplateOf } from './objects/kube.ts'
import type { KubeObject, Manifest, ManifestPort, WorkloadKind } from './types.ts'

interface CheckedDocument {
  readonly source: SourceDocument
  readonly object: KubeObject
}

interface BuildOptions {
  readonly file?: string | undefined
  readonly namespace?: string | undefined
  /** A last look at each manifest; may throw a ManifestError, whose violations are collected. */
  readonly inspect?: (manifest: Manifest) => void
}

/**
 * Validates documents and puts each workload together with what it uses.
 * @throws ManifestError with every violation of every document
 */
export function buildManifests(documents: readonly SourceDocument[], options: BuildOptions = {}): Manifest[] {
  const { file, namespace = DEFAULT_NAMESPACE, inspect } = options
  const violations: Violation[] = []
  const known = documents.filter((document) => checkDocument(document, violations))
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
    const { kind, metadata } = document.value
    const key = `${String(kind)} ${namespaceOf(document, namespace)}/${String(asRecord(metadata).name)}`
    const first = seen.get(key)
    if (first === undefined) seen.set(key, document.index)
    else createReport(document, violations)('metadata.name', 'unique', `is the name of document ${first} too`)
  }
}

const WORKLOAD_KINDS: ReadonlySet<string> = new Set<WorkloadKind>(['Pod', 'Deployment'])

function joinObjects(
  checked: readonly CheckedDocument[],
  violations: Violation[]
): { readonly manifest: Manifest; readonly source: SourceDocument }[] {
  const workloads = checked.filter(({ object }) => WORKLOAD_KINDS.has(object.kind))
  const configs = checked.filter(({ object }) => !WORKLOAD_KINDS.has(object.kind))
  const used = new Set<KubeObject>()
  const manifests = workloads.map(({ source, object }) => {
    const available = configs
      .map((one) => one.object)
      .filter(({ metadata }) => metadata.namespace === object.metadata.namespace)
    const references = resolveReferences(object, available, createReport(source, violations))
    for (const one of references) used.add(one)
    return { source, manifest: toManifest([object, ...references]) }
  })
  for (const { source, object } of configs)
    if (!used.has(object)) {
      const report = createReport(source, violations)
      report('', 'unused', `is used by nothing in this file, in namespace ${object.metadata.namespace ?? ''}`)
    }
  if (checked.length === 0) {
    const message = 'holds no workload: write a Pod or a Deployment'
    violations.push({ code: 'MANIFEST_INVALID', document: 1, path: '', rule: 'no-workload', message })
  }
  return manifests
}

/** The summary of validated objects, workload first. */
function toManifest(objects: readonly [KubeObject, ...KubeObject[]]): Manifest {
  const [workload] = objects
  const { spec } = podTemplateOf(workload)
  const engine = asText(own(asRecord(workload.metadata.annotations), ENGINE_ANNOTATION))
  const replicas =
    workload.kind === 'Pod' ? 1 : ((asRecord(workload.spec).replicas as number | undefined) ?? 1)
  return {
    kind: workload.kind as WorkloadKind,
    namespace: workload.metadata.namespace as string,
    name: workload.metadata.name,
    replicas,
    resources: resourcesOf(spec),
    ports: spec.containers.flatMap((container) =>
      (container.ports ?? []).map(
        ({ containerPort, protocol = 'TCP', hostPort, hostIP, name }): ManifestPort => ({
          container: container.name,
          containerPort,
          protocol,
          ...(hostPort === undefined ? {} : { hostPort }),
          ...(hostIP === undefined ? {} : { hostIp: hostIP }),
          ...(name === undefined ? {} : { name })
        })
      )
    ),
    ...(engine === undefined ? {} : { engine }),
    objects
  }
}

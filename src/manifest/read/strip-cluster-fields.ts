import type { SourceDocument } from '../check/report.ts'
import { asList, asRecord, isRecord, type JsonRecord } from '../objects/json.ts'

/** Fields of metadata that a Kubernetes cluster writes and that say nothing of what should run. docs/MANIFESTS.md lists them. */
const METADATA_FIELDS = [
  'creationTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid'
]
/** Holds the whole object again, of a Secret too. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * The document without what a cluster added to it, so that what `kubectl get -o yaml` prints can be applied, and makes the
 * same manifest as what was written.
 */
export function stripClusterFields(document: SourceDocument): SourceDocument {
  const { status: _, ...value } = document.value
  return { ...document, value: stripObject(value) }
}

function stripObject(object: JsonRecord): JsonRecord {
  const { spec, metadata } = object
  return {
    ...object,
    ...(isRecord(metadata) ? { metadata: stripMetadata(metadata) } : {}),
    ...(isRecord(spec) ? { spec: stripSpec(spec) } : {})
  }
}

function stripSpec(spec: JsonRecord): JsonRecord {
  const { template, jobTemplate, volumeClaimTemplates } = spec
  return {
    ...spec,
    ...(isRecord(template) && isRecord(template.metadata)
      ? { template: { ...template, metadata: stripMetadata(template.metadata) } }
      : {}),
    ...(isRecord(jobTemplate) ? { jobTemplate: stripObject(jobTemplate) } : {}),
    ...(Array.isArray(volumeClaimTemplates)
      ? {
          volumeClaimTemplates: asList(volumeClaimTemplates).map((one) => {
            if (!isRecord(one)) return one
            const { status: _, ...rest } = one
            return { ...rest, ...(isRecord(one.metadata) ? { metadata: stripMetadata(one.metadata) } : {}) }
          })
        }
      : {})
  }
}

function stripMetadata(metadata: JsonRecord): JsonRecord {
  const kept = Object.fromEntries(
    Object.entries(metadata).filter(([name]) => !METADATA_FIELDS.includes(name))
  )
  const annotations = asRecord(metadata.annotations)
  if (!Object.hasOwn(annotations, LAST_APPLIED)) return kept
  const { [LAST_APPLIED]: _, ...rest } = annotations
  if (Object.keys(rest).length > 0) return { ...kept, annotations: rest }
  const { annotations: __, ...bare } = kept
  return bare
}

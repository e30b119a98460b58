import { buildManifests } from './build-manifests.ts'
import { assertCanonicalSize } from './canonical.ts'
import { convertCompose } from './compose/index.ts'
import { DEFAULT_NAMESPACE, DNS_LABEL_PATTERN } from './constants.ts'
import { ManifestError, type Violation } from './errors.ts'
import { readDocuments } from './read/read-documents.ts'
import { assertExpands } from './transform/to-pod.ts'
import type { Manifest } from './types.ts'

export interface ParseManifestsOptions {
  /** What errors call the text, such as the file's name. @default 'the manifest' */
  readonly file?: string
  /** For documents that name no namespace. @default {@link DEFAULT_NAMESPACE} */
  readonly namespace?: string
}

/**
 * The manifests in a YAML or JSON text: one for each workload document or Compose file, in order, each with what it uses. Nothing is dropped: a field, kind or document that would have no effect is an error.
 * @param text at most {@link MAX_FILE_BYTES} of UTF-8 and {@link MAX_DOCUMENTS} documents; `kind: List` is opened
 * @throws ManifestError MANIFEST_SYNTAX, MANIFEST_TOO_LARGE, MANIFEST_UNSUPPORTED_KIND, MANIFEST_UNSUPPORTED_FIELD,
 *   MANIFEST_INVALID, MANIFEST_MISSING_REFERENCE with all violations found; MANIFEST_ARGUMENT for a bad namespace
 */
export function parseManifests(text: string, options: ParseManifestsOptions = {}): Manifest[] {
  const { file, namespace = DEFAULT_NAMESPACE } = options
  if (!DNS_LABEL_PATTERN.test(namespace))
    throw new ManifestError(
      'MANIFEST_ARGUMENT',
      'the namespace must be lower-case letters, digits and -, at most 63'
    )
  const violations: Violation[] = []
  return buildManifests(convertCompose(readDocuments(text, file), violations), {
    file,
    namespace,
    violations,
    inspect: (manifest) => {
      assertExpands(manifest)
      assertCanonicalSize(manifest)
    }
  })
}

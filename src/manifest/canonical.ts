import serialize from 'canonicalize'
import { equalBytes, fromUtf8, utf8 } from '../common/index.ts'
import { buildManifests } from './build-manifests.ts'
import { MAX_MANIFEST_BYTES } from './constants.ts'
import { ManifestError, toManifestError } from './errors.ts'
import { asRecord, asText, isRecord } from './objects/json.ts'
import { flattenDocuments } from './read/read-documents.ts'
import { assertExpands } from './transform/to-pod.ts'
import type { Manifest } from './types.ts'

/** Version of the canonical form; another one is another format. */
const CANONICAL_VERSION = 1
const SALT_BYTES = 32

/**
 * The one byte form of a manifest: RFC 8785 JSON of `{v, salt, namespace, kind, name, objects}`, in UTF-8. The same
 * manifest and salt always give the same bytes. This is what is encrypted; it holds the Secrets in clear.
 * @param salt Uint8Array(32) of {@link manifestSalt}, so that whoever decrypts can check the manifest ID
 * @throws ManifestError MANIFEST_TOO_LARGE above {@link MAX_MANIFEST_BYTES}, MANIFEST_ARGUMENT for a salt of another length
 */
export function canonicalBytes(manifest: Manifest, salt: Uint8Array): Uint8Array {
  if (salt.byteLength !== SALT_BYTES)
    throw new ManifestError(
      'MANIFEST_ARGUMENT',
      `the salt must have ${SALT_BYTES} bytes, got ${salt.byteLength}`
    )
  const { namespace, kind, name, objects } = manifest
  const text = serialize({
    v: CANONICAL_VERSION,
    salt: Buffer.from(salt).toString('base64'),
    namespace,
    kind,
    name,
    objects
  })
  const bytes = utf8(text ?? '')
  if (bytes.byteLength > MAX_MANIFEST_BYTES) throw tooLarge(manifest, bytes.byteLength)
  return bytes
}

/** @throws ManifestError MANIFEST_TOO_LARGE when {@link canonicalBytes} would */
export function assertCanonicalSize(manifest: Manifest): void {
  canonicalBytes(manifest, new Uint8Array(SALT_BYTES))
}

function tooLarge({ kind, name }: Manifest, byteLength: number): ManifestError {
  const message = `takes ${byteLength} bytes together with what it uses; at most ${MAX_MANIFEST_BYTES} are allowed`
  return toManifestError([
    { code: 'MANIFEST_TOO_LARGE', document: 1, kind, name, path: '', rule: 'size', message }
  ])
}

/**
 * Reads what {@link canonicalBytes} wrote, on a machine that trusts nobody: same limits, full validation again, and
 * the bytes must be exactly the canonical form.
 * @throws ManifestError MANIFEST_NOT_CANONICAL, or any code that parseManifests throws
 */
export function parseCanonical(bytes: Uint8Array): { manifest: Manifest; salt: Uint8Array } {
  if (bytes.byteLength > MAX_MANIFEST_BYTES)
    throw new ManifestError(
      'MANIFEST_TOO_LARGE',
      `a canonical manifest has at most ${MAX_MANIFEST_BYTES} bytes, got ${bytes.byteLength}`
    )
  const root = parseJson(bytes)
  const salt = new Uint8Array(Buffer.from(asText(root.salt) ?? '', 'base64'))
  if (root.v !== CANONICAL_VERSION) throw notCanonical(`v must be ${CANONICAL_VERSION}`)
  if (salt.byteLength !== SALT_BYTES) throw notCanonical(`salt must be ${SALT_BYTES} bytes in base64`)
  if (!Array.isArray(root.objects)) throw notCanonical('objects must be an array')
  // because namespaces are written into every object, a namespace by default would show as other bytes below
  const manifests = buildManifests(flattenDocuments(root.objects, 'canonical manifest'), {
    file: 'canonical manifest',
    inspect: assertExpands
  })
  const [manifest] = manifests
  if (manifest === undefined || manifests.length > 1) throw notCanonical('objects must hold one workload')
  if (!equalBytes(canonicalBytes(manifest, salt), bytes))
    throw notCanonical('the bytes differ from the canonical form of what they hold')
  return { manifest, salt }
}

function parseJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let root: unknown
  try {
    root = JSON.parse(fromUtf8(bytes))
  } catch {
    // because the message of a SyntaxError quotes the text, which may be a Secret, it is not kept as cause
    throw notCanonical('it is no JSON in UTF-8')
  }
  if (!isRecord(root)) throw notCanonical('it must be an object')
  return asRecord(root)
}

function notCanonical(why: string): ManifestError {
  return new ManifestError(
    'MANIFEST_NOT_CANONICAL',
    `these bytes are not the canonical form of a manifest: ${why}`,
    {
      hint: 'the owner must apply it again with a beemesh of the same version'
    }
  )
}

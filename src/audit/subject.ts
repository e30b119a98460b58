import { decode, RECORD, SIGNED_OBJECT } from '../envelope/index.ts'

/** Which manifest a request is about. */
export interface Subject {
  readonly manifestId?: Uint8Array
  readonly version?: number
}

const MANIFEST_ID_BYTES = 36

/**
 * What a payload says it is about: its own manifest ID, or the one in the record it carries. Nothing is checked but form, because the log
 * tells what was asked; whether it was right is the service's to say.
 */
export function subjectOf(payload: unknown): Subject {
  if (typeof payload !== 'object' || payload === null) return {}
  const { manifestId, record } = payload as { manifestId?: unknown; record?: unknown }
  if (isManifestId(manifestId)) return { manifestId }
  if (!(record instanceof Uint8Array)) return {}
  try {
    const { manifestId, version } = decode(RECORD, decode(SIGNED_OBJECT, record).body)
    return { manifestId, version }
  } catch {
    return {} // because what cannot be read is refused by the service, and that is an entry too
  }
}

function isManifestId(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength === MANIFEST_ID_BYTES
}

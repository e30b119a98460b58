import { utf8 } from '../common/index.ts'

/** One envelope, bytes. Source: ARCHITECTURE.md section 7. */
export const MAX_ENVELOPE_BYTES = 256 * 1024
/** One signed object, bytes. Source: fbs/node.fbs, `memberships` and `statement` fields, plus the frame around the body. */
export const MAX_SIGNED_OBJECT_BYTES = 66 * 1024
/** How far a timestamp may be ahead of our clock. Source: facts on replay (crypto.md section 6). */
export const MAX_FUTURE_MS = 30_000
/** How old an envelope may be. Source: as {@link MAX_FUTURE_MS}. */
export const MAX_AGE_MS = 300_000

/** Fixed by the wire format (docs/PROTOCOL.md). */
export const HEADER_BYTES = 136
export const NONCE_BYTES = 16
export const PUBLIC_KEY_BYTES = 32
export const NETWORK_ID_BYTES = 32
export const AUDIENCE_BYTES = 32
export const SIGNATURE_BYTES = 64

/** "BMSH" */
export const MAGIC = 0x424d5348
export const ENVELOPE_VERSION = 1
/** Ed25519, with keys checked as strict-ed25519.ts says. */
export const SIGNATURE_ALGORITHM = 1
/** Domain of envelope signatures. */
export const ENVELOPE_TAG = utf8('beemesh.v1/envelope\0')

/**
 * Signed messages: put one together, and take one apart without trusting a byte of it.
 *
 * Apart from the rest because everything that comes from another machine passes here first: the FlatBuffers verifier,
 * the one meaning of a valid Ed25519 signature, the clock window, the replay window. It never decides who is allowed
 * to do what (trust/), and never touches the network, the disk or the clock.
 *
 * @example
 * const bytes = signEnvelope({ type: 'status', payload: encodeQuery({ replyKey }), key, networkId, audience, nowMs })
 * const envelope = openEnvelope(bytes, { networkId, nowMs, audience })
 * envelope.verifySignature()
 * const query = envelope.decodePayload(QUERY)
 */
export {
  APPLY_REQUEST,
  ASSIGN_REQUEST,
  AUDIT_ENTRY,
  AUDIT_HEAD,
  AUDIT_LIST,
  AUDIT_REQUEST,
  AUDIT_WITNESS,
  BID,
  BID_LIST,
  BID_REQUEST,
  CAPACITY_REQUEST,
  CORDON_REQUEST,
  DELETE_REQUEST,
  DONE_STATEMENT,
  DRAIN_REQUEST,
  DRAINED,
  ENVELOPE,
  ERROR_REPLY,
  EVENT_REPLY,
  EVICT_REQUEST,
  EXCHANGE,
  EXEC_INPUT,
  EXEC_OUTPUT,
  EXEC_REQUEST,
  FENCE_REQUEST,
  FETCH_REQUEST,
  FETCHED,
  FORWARD,
  GRANT,
  GRANT_CHAIN,
  GRANT_LIST,
  INSPECTION,
  INVITE,
  KEEP_REQUEST,
  LEASE,
  LOG_REPLY,
  LOOKUP,
  MEMBER_LIST,
  NODE_STATEMENT,
  OWNER_LIST,
  PRESENT_REQUEST,
  PROBE,
  PROBE_ANSWER,
  PROGRESS,
  PROVEN_DONE,
  PROVIDER_LIST,
  PROVIDER_STATEMENT,
  QUERY,
  RECORD,
  REDEEM,
  REDEEMED,
  RELEASE_REQUEST,
  RELEASED,
  REPLY,
  REVOCATION,
  REVOCATIONS,
  REVOKE_REQUEST,
  type Root,
  SIGNED_OBJECT,
  STATUS_REPLY,
  TRUST_REQUEST,
  VERDICT
} from '../generated/fbs/index.ts'
export {
  AUDIENCE_BYTES,
  ENVELOPE_VERSION,
  MAX_AGE_MS,
  MAX_ENVELOPE_BYTES,
  MAX_FUTURE_MS,
  MAX_SIGNED_OBJECT_BYTES,
  NONCE_BYTES
} from './constants.ts'
export * from './envelope.ts'
export * from './errors.ts'
export { MESSAGE_TYPE_NAMES, MESSAGE_TYPES, type MessageType, type MessageTypeName } from './message-types.ts'
export { peekEnvelope } from './peek.ts'
export * from './replay-window.ts'
export * from './signed-object.ts'
export { isStrongKey, verifyStrict } from './strict-ed25519.ts'
export { decode, hasIdentifier, MAX_BUFFER_BYTES, verify } from './verifier.ts'

/**
 * What a node was asked and did, written down so that nobody, not even the node, can change it later without being seen: every entry is
 * chained to the one before, the end is signed now and then, and others keep what was signed. Stands apart because it must not decide:
 * doors and services tell it, and go on without waiting for it. Never holds names, manifests, keys or other people's text.
 *
 * @example
 * ```ts
 * const log = new AuditLog({ store, key, networkId: network.id })
 * await log.open()
 * const recorder = new AuditRecorder(log)
 * recorder.asked({ protocol: 'apply', author: owner.peerId, transport: 'local' })
 * await recorder.close()
 * ```
 */
export { type AuditInit, type AuditService, audit } from './audit.ts'
export { AuditLog, type AuditLogInit } from './audit-log.ts'
export { contradict, type Head, openHead } from './head.ts'
export { AuditRecorder } from './recorder.ts'
export type { AuditedDeed, AuditedRefusal, AuditedRequest, LogState } from './types.ts'
export { type AuditFault, type HeadVerdict, LogCheck } from './verify.ts'
export type { Testimony } from './witness/book.ts'

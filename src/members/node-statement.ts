import { safeText } from '../common/index.ts'
import { decode, openObject, signObject } from '../envelope/index.ts'
import { encodeNodeStatement, NODE_STATEMENT } from '../generated/fbs/index.ts'
import { peerIdFromPublicKey, type SigningKey } from '../identity/index.ts'
import { type Membership, openMembership } from '../trust/index.ts'
import { CLOCK_SKEW_MS, MAX_STATEMENT_BYTES, STATEMENT_LIFETIME_MS } from './constants.ts'
import { MembersError } from './errors.ts'
import type { NodeView, SelfDescription } from './types.ts'

/** Source: fbs/node.fbs. */
export const MAX_ADDRESSES = 16
const MAX_ADDRESS_LENGTH = 256

/** The node's signed statement of itself, a SignedObject of kind node. */
export function signNodeStatement(
  self: SelfDescription & { readonly addresses: readonly string[] },
  {
    key,
    networkId,
    nowMs,
    leaving = false
  }: { key: SigningKey; networkId: Uint8Array; nowMs: number; leaving?: boolean }
): Uint8Array {
  const body = encodeNodeStatement({
    name: self.name,
    addresses: self.addresses
      .filter((address) => address.length <= MAX_ADDRESS_LENGTH)
      .slice(0, MAX_ADDRESSES),
    labels: Object.entries(self.labels).map(([label, value]) => ({ key: label, value })),
    engines: self.engines,
    version: self.version,
    bootId: self.bootId,
    scheduling: self.scheduling && !leaving, // because older readers know no other way to say so
    kem: 'xwing',
    sealingKey: self.sealingKey,
    sealingEpoch: self.sealingEpoch,
    issuedAt: nowMs,
    notAfter: nowMs + STATEMENT_LIFETIME_MS,
    memberships: self.memberships.map((value) => ({ value })),
    leaving,
    idle: self.idle ?? false,
    startedAt: self.startedAtMs ?? 0
  })
  return signObject({ kind: 'node', body, key, networkId })
}

/**
 * Checks a statement and what it carries.
 * @throws EnvelopeError when it is not what its author signed; MembersError STATEMENT_INVALID, STATEMENT_EXPIRED
 */
export function openNodeStatement(
  bytes: Uint8Array,
  { networkId, nowMs }: { networkId: Uint8Array; nowMs: number }
): NodeView {
  if (bytes.byteLength > MAX_STATEMENT_BYTES)
    throw new MembersError(
      'STATEMENT_INVALID',
      `a statement of ${bytes.byteLength} bytes; at most ${MAX_STATEMENT_BYTES}`
    )
  const { author, body } = openObject(bytes, { kind: 'node', networkId })
  const said = decode(NODE_STATEMENT, body)
  const peerId = peerIdFromPublicKey(author)
  if (
    said.issuedAt > nowMs + CLOCK_SKEW_MS ||
    said.notAfter <= nowMs ||
    said.notAfter - said.issuedAt > STATEMENT_LIFETIME_MS
  )
    throw new MembersError('STATEMENT_EXPIRED', `the statement of ${peerId} is not valid at this time`, {
      details: { issuedAt: said.issuedAt, notAfter: said.notAfter }
    })
  if (said.kem !== 'xwing')
    throw new MembersError('STATEMENT_INVALID', `${peerId} names a sealing method we do not know`)
  const memberships = said.memberships.flatMap(({ value }) =>
    membershipOf(value, { subject: author, networkId, nowMs })
  )
  return {
    publicKey: author,
    peerId,
    name: safeText(said.name, 63),
    addresses: said.addresses
      .filter((address) => address.length <= MAX_ADDRESS_LENGTH)
      .map((a) => safeText(a)),
    labels: Object.fromEntries(
      said.labels.map(({ key, value }) => [safeText(key, 320), safeText(value, 256)])
    ),
    engines: said.engines.map((engine) => safeText(engine, 32)),
    version: safeText(said.version, 32),
    bootId: said.bootId,
    scheduling: said.scheduling,
    leaving: said.leaving,
    idle: said.idle,
    startedAtMs: said.startedAt === 0 ? undefined : said.startedAt,
    sealingKey: said.sealingKey,
    sealingEpoch: said.sealingEpoch,
    issuedAtMs: said.issuedAt,
    notAfterMs: said.notAfter,
    memberOf: memberships.map(({ issuer }) => issuer),
    memberships,
    statement: bytes
  }
}

function membershipOf(
  grant: Uint8Array,
  context: { subject: Uint8Array; networkId: Uint8Array; nowMs: number }
): Membership[] {
  try {
    return [openMembership(grant, context)]
  } catch {
    return [] // because one bad or expired grant must not hide the others, nor the node
  }
}

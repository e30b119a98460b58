import { concat, toHex, utf8 } from '../../common/index.ts'
import { decode, GRANT, openObject, signObject } from '../../envelope/index.ts'
import { encodeGrant, type Quota as WireQuota } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey, type SigningKey, signingKeyFromSeed } from '../../identity/index.ts'
import { TrustError } from '../errors.ts'
import type { Grant, GrantAction, GrantTerms, Quota } from './types.ts'

/** One year. Chosen: a home machine may sleep for months. */
export const GRANT_LIFETIME_MS = 365 * 24 * 60 * 60 * 1000
const MAX_NAMESPACE_LENGTH = 63
const MAX_REGISTRY_LENGTH = 256

/** Everything that may be said of a grant; what is left out is not bounded. */
export interface GrantInit extends Partial<Omit<GrantTerms, 'actions' | 'notAfter'>> {
  /** Uint8Array(32), an Ed25519 public key. */
  readonly subject: Uint8Array
  readonly actions: readonly GrantAction[]
  /** ms since epoch. */
  readonly notAfter: number
  readonly inviteKey?: Uint8Array
  readonly redeemBefore?: number
  /** Uint8Array(64), see {@link proveInvite}. */
  readonly proof?: Uint8Array
}

/** @returns a SignedObject of kind grant */
export function signGrant(
  issuer: SigningKey,
  { networkId, nowMs, ...init }: GrantInit & { readonly networkId: Uint8Array; readonly nowMs: number }
): Uint8Array {
  const { subject, actions, namespaces = [], registries = [], quota = {}, delegations = 0 } = init
  const { notBefore = nowMs, notAfter, inviteKey, redeemBefore = 0, proof } = init
  const body = encodeGrant({
    subject,
    actions: [...actions],
    notBefore,
    notAfter,
    namespaces: [...namespaces],
    registries: [...registries],
    quota: {
      cpuMillis: quota.cpuMillis ?? 0,
      memoryBytes: quota.memoryBytes ?? 0,
      storageBytes: quota.storageBytes ?? 0,
      workloads: quota.workloads ?? 0
    },
    delegations,
    inviteKey,
    redeemBefore,
    proof
  })
  return signObject({ kind: 'grant', body, key: issuer, networkId })
}

/** @throws EnvelopeError when it is not what its author signed; TrustError GRANT_INVALID */
export function openGrant(
  bytes: Uint8Array,
  { networkId }: { readonly networkId: Uint8Array }
): { readonly grant: Grant; readonly proof?: Uint8Array; readonly subjectKey: Uint8Array } {
  const { author, body, digest } = openObject(bytes, { kind: 'grant', networkId })
  const said = decode(GRANT, body)
  const actions = said.actions.filter((action) => action !== 'none')
  if (actions.length === 0) throw new TrustError('GRANT_INVALID', 'the grant gives nothing this node knows')
  const tooLong = [
    ...said.namespaces.filter(({ length }) => length === 0 || length > MAX_NAMESPACE_LENGTH),
    ...said.registries.filter(({ length }) => length === 0 || length > MAX_REGISTRY_LENGTH)
  ]
  if (tooLong.length > 0)
    throw new TrustError('GRANT_INVALID', 'a namespace or registry is empty or too long')
  const { notBefore, notAfter, namespaces, registries, delegations, inviteKey, redeemBefore } = said
  const grant = {
    id: toHex(digest),
    issuer: peerIdFromPublicKey(author),
    subject: peerIdFromPublicKey(said.subject),
    actions,
    namespaces,
    registries,
    quota: toQuota(said.quota),
    delegations,
    notBefore,
    notAfter,
    inviteKey,
    redeemBefore
  }
  return { grant, proof: said.proof, subjectKey: said.subject }
}

/** What an invite's key signs: that a node with this key was given the invite. */
export function inviteProofBytes(subject: Uint8Array, networkId: Uint8Array): Uint8Array {
  return concat(utf8('beemesh.v1/invite\0'), networkId, subject)
}

/** The proof that a node holds an invite. @param seed Uint8Array(32) of the invite's key @returns Uint8Array(64) */
export function proveInvite(seed: Uint8Array, subject: Uint8Array, networkId: Uint8Array): Uint8Array {
  return signingKeyFromSeed(seed).sign(inviteProofBytes(subject, networkId))
}

/** 0 on the wire means no bound. */
function toQuota(wire: WireQuota | undefined): Quota {
  const bound = (value: number | undefined) => (value === undefined || value === 0 ? undefined : value)
  return {
    cpuMillis: bound(wire?.cpuMillis),
    memoryBytes: bound(wire?.memoryBytes),
    storageBytes: bound(wire?.storageBytes),
    workloads: bound(wire?.workloads)
  }
}

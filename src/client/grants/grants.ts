import type { Abortable } from '../../common/index.ts'
import { decode, GRANT_LIST } from '../../envelope/index.ts'
import { encodePresentRequest, encodeQuery, encodeRevokeRequest } from '../../generated/fbs/index.ts'
import {
  encodeChain,
  extendChain,
  type GrantChain,
  type GrantInit,
  type GrantTerms,
  openChain,
  openRevocation,
  type Quota,
  type Revocation,
  signGrant,
  signRevocation
} from '../../trust/index.ts'
import type { Session, Target } from '../connection/session.ts'
import { ClientError } from '../errors.ts'

/** What a node holds of grants. */
export interface HeldGrants {
  readonly chains: readonly GrantChain[]
  readonly revocations: readonly Revocation[]
  /** Why something that was sent does not count there. */
  readonly refused: readonly string[]
}

/**
 * Signs a grant. Somebody who holds one that may be passed on gives it below that one; everybody else as a root, which counts on nodes
 * whose owner they are.
 * @throws TrustError GRANT_INVALID when it gives more than the signer has
 */
export function createGrant(session: Session, init: GrantInit & { readonly asRoot?: boolean }): GrantChain {
  const { networkId } = session.connection
  const above = init.asRoot ? undefined : session.chains.find(({ terms }) => terms.delegations > 0)
  const terms = above === undefined ? init : within(init, above.terms)
  const grant = signGrant(session.key, { ...terms, networkId, nowMs: Date.now() })
  const bytes = above === undefined ? encodeChain([grant]) : extendChain(above.bytes, grant)
  const { subjectKey: _key, ...chain } = openChain(bytes, { networkId })
  return chain
}

/** What is left out is as the grant above has it, and nothing lasts longer. */
function within(init: GrantInit, above: GrantTerms): GrantInit {
  return {
    ...init,
    namespaces: init.namespaces ?? above.namespaces,
    registries: init.registries ?? above.registries,
    quota: { ...above.quota, ...defined(init.quota ?? {}) },
    notAfter: Math.min(init.notAfter, above.notAfter)
  }
}

function defined(quota: Quota): Quota {
  return Object.fromEntries(Object.entries(quota).filter(([, value]) => value !== undefined))
}

/** Shows grants to a node, which knows us from then on. */
export async function presentGrants(
  session: Session,
  target: Target,
  { signal }: Abortable = {}
): Promise<HeldGrants> {
  const chains = session.chains.slice(0, 8).map(({ bytes }) => ({ value: bytes }))
  return heldOf(session, target, 'present', (replyKey) => encodePresentRequest({ chains, replyKey }), {
    signal
  })
}

/** @param ids of grants, hexadecimal @param forgetAfter when the last of them ends, ms since epoch */
export async function revokeGrants(
  session: Session,
  ids: readonly string[],
  { forgetAfter, signal }: Abortable & { readonly forgetAfter: number }
): Promise<HeldGrants> {
  const { networkId } = session.connection
  const revocations = ids.map((grant) => ({
    value: signRevocation(session.key, { grant, networkId, nowMs: Date.now(), forgetAfter })
  }))
  const encode = (replyKey: Uint8Array) => encodeRevokeRequest({ revocations, replyKey })
  const held = await heldOf(session, session.entry, 'revoke', encode, { signal })
  if (held.revocations.length < ids.length)
    throw new ClientError('REVOCATION_REFUSED', `the node does not take it: ${held.refused.join('; ')}`, {
      hint: 'Only the root of a grant, and whoever signed it or one above it, can revoke it.'
    })
  return held
}

/** Everything the entry node holds. */
export function listGrants(session: Session, { signal }: Abortable = {}): Promise<HeldGrants> {
  return heldOf(session, session.entry, 'grants', (replyKey) => encodeQuery({ replyKey }), { signal })
}

async function heldOf(
  session: Session,
  target: Target,
  protocol: 'present' | 'revoke' | 'grants',
  encode: (replyKey: Uint8Array) => Uint8Array,
  options: Abortable
): Promise<HeldGrants> {
  const { networkId } = session.connection
  const chains: GrantChain[] = []
  const revocations: Revocation[] = []
  const refused: string[] = []
  for await (const body of session.ask(target, protocol, encode, options)) {
    const list = decode(GRANT_LIST, body)
    chains.push(...list.chains.map(({ value }) => openChain(value, { networkId })))
    revocations.push(
      ...list.revocations.map(({ value }) => openRevocation(value, { networkId, nowMs: Date.now() }))
    )
    refused.push(...list.refused)
  }
  return { chains, revocations, refused }
}

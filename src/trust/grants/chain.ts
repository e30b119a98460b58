import { equalBytes } from '../../common/index.ts'
import { decode, GRANT_CHAIN, hasIdentifier, isStrongKey, verifyStrict } from '../../envelope/index.ts'
import { encodeGrantChain } from '../../generated/fbs/index.ts'
import { TrustError } from '../errors.ts'
import { inviteProofBytes, openGrant } from './grant.ts'
import { excess } from './terms.ts'
import type { Grant, GrantChain } from './types.ts'

/** A clock that is a little behind the issuer's must not refuse a fresh grant. Same as the envelope's window. */
const CLOCK_SKEW_MS = 30_000
/** Source: fbs/grant_chain.fbs */
const MAX_LINKS = 4

/** Puts signed grants into the form that is shown to others, root's first. */
export function encodeChain(grants: readonly Uint8Array[]): Uint8Array {
  return encodeGrantChain({ grants: grants.map((value) => ({ value })) })
}

/** The chain with one more link at its end. @param chain a GrantChain, or a single grant */
export function extendChain(chain: Uint8Array, grant: Uint8Array): Uint8Array {
  return encodeChain([...linksOf(chain), grant])
}

/**
 * Checks a chain: every signature, that each link is signed by whom the one above is for, gives no more than that has, and proves its
 * invite. Not: time, roots, revocations.
 * @param bytes a GrantChain, or a single grant
 * @throws EnvelopeError; TrustError GRANT_INVALID
 */
export function openChain(
  bytes: Uint8Array,
  { networkId }: { readonly networkId: Uint8Array }
): GrantChain & { readonly subjectKey: Uint8Array } {
  const signed = linksOf(bytes)
  if (signed.length === 0 || signed.length > MAX_LINKS)
    throw new TrustError('GRANT_INVALID', `a chain has 1 to ${MAX_LINKS} grants, this one ${signed.length}`)
  const links: Grant[] = []
  let subjectKey = new Uint8Array() as Uint8Array
  for (const one of signed) {
    const { grant, proof, subjectKey: key } = openGrant(one, { networkId })
    const above = links.at(-1)
    if (above !== undefined) assertFollows(above, grant)
    if (above?.inviteKey !== undefined)
      assertInvited(above.inviteKey, proof, inviteProofBytes(key, networkId))
    links.push(grant)
    subjectKey = key
  }
  const [first, last] = [links[0]!, links.at(-1)!]
  return { root: first.issuer, subject: last.subject, links, terms: last, bytes, subjectKey }
}

/** Why a chain does not count now; undefined: it does. */
export function whyNot(
  chain: GrantChain,
  {
    roots,
    isRevoked,
    nowMs
  }: {
    readonly roots: ReadonlySet<string>
    readonly isRevoked: (link: Grant, chain: GrantChain) => boolean
    readonly nowMs: number
  }
): { readonly rule: 'grant-root' | 'grant-time' | 'grant-revoked'; readonly reason: string } | undefined {
  if (!roots.has(chain.root))
    return { rule: 'grant-root', reason: `it comes from ${chain.root}, whom this node does not trust` }
  for (const { id, notBefore, notAfter } of chain.links) {
    if (nowMs < notBefore - CLOCK_SKEW_MS)
      return { rule: 'grant-time', reason: `grant ${id.slice(0, 12)} does not hold yet` }
    if (nowMs >= notAfter)
      return {
        rule: 'grant-time',
        reason: `grant ${id.slice(0, 12)} ended ${new Date(notAfter).toISOString()}`
      }
  }
  const revoked = chain.links.find((link) => isRevoked(link, chain))
  if (revoked !== undefined)
    return { rule: 'grant-revoked', reason: `grant ${revoked.id.slice(0, 12)} was revoked` }
  return undefined
}

function linksOf(bytes: Uint8Array): Uint8Array[] {
  return hasIdentifier(bytes, GRANT_CHAIN)
    ? decode(GRANT_CHAIN, bytes).grants.map(({ value }) => value)
    : [bytes]
}

function assertFollows(above: Grant, grant: Grant): void {
  if (grant.issuer !== above.subject)
    throw new TrustError('GRANT_INVALID', 'a grant is signed by somebody else than the one above it is for')
  const more = excess(grant, above)
  if (more.length > 0)
    throw new TrustError('GRANT_INVALID', `a grant gives more than its issuer has: ${more.join('; ')}`, {
      details: { grant: grant.id, more }
    })
}

function assertInvited(inviteKey: Uint8Array, proof: Uint8Array | undefined, said: Uint8Array): void {
  if (proof === undefined || !isStrongKey(inviteKey) || !verifyStrict(inviteKey, said, proof))
    throw new TrustError(
      'GRANT_INVALID',
      'a grant under an invite does not prove that its subject held the invite'
    )
}

/** Whether two chains are the same bytes. */
export function isSameChain(one: GrantChain, other: GrantChain): boolean {
  return equalBytes(one.bytes, other.bytes)
}

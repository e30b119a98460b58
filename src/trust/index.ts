/**
 * Who may do what: the owners a node obeys, the membership an owner gives to a node, and one pure `authorise()` that
 * every door asks. Stands apart so that the rules can be read and tested without a network. Never does network I/O.
 *
 * @example
 * ```ts
 * const owners = await readOwners('/var/lib/beemesh/owners')
 * const decision = authorise({ author: peerId, action: 'apply' }, ownersOnly(owners))
 * if (!decision.allowed) console.error(decision.reason)
 * ```
 */
export {
  ACTIONS,
  type Action,
  type AuthoriseRequest,
  authorise,
  type Decision,
  type GrantUse,
  overQuota,
  ownersOnly,
  type TrustState
} from './authorise.ts'
export { TRUST_ERROR_CODES, TrustError, type TrustErrorCode } from './errors.ts'
export { encodeChain, extendChain, openChain, whyNot } from './grants/chain.ts'
export {
  GRANT_LIFETIME_MS,
  type GrantInit,
  inviteProofBytes,
  openGrant,
  proveInvite,
  signGrant
} from './grants/grant.ts'
export { isRevokedBy, openRevocation, type Revocation, signRevocation } from './grants/revocation.ts'
export { isUnder } from './grants/terms.ts'
export type { Grant, GrantAction, GrantChain, GrantTerms, Quota } from './grants/types.ts'
export { MEMBERSHIP_LIFETIME_MS, type Membership, openMembership, signMembership } from './membership.ts'
export { addOwners, readOwners, removeOwners } from './owners.ts'
export { addSuccessor, heirOf, readSuccessors, type Successors } from './successors.ts'

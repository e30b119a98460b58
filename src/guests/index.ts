/**
 * Whom others let in: grants that people show, what of them was revoked, and invites that new nodes redeem. Stands apart from `trust`,
 * which only has the rules, because this keeps and spreads. Never decides who may do what: it hands the state to `authorise`.
 *
 * @example
 * ```ts
 * const node = await createLibp2p({ services: { identify: identify(), guests: guests({ network, key, owners, store }) } })
 * const decision = authorise({ author, action: 'apply' }, node.services.guests.trust())
 * ```
 */
import { Guests } from './guests.ts'
import type { GuestsComponents, GuestsInit, GuestsService } from './types.ts'

export { GUESTS_ERROR_CODES, GuestsError, type GuestsErrorCode } from './errors.ts'
export { type JoinInvite, redeemInvite } from './redeem-invite.ts'
export type { GuestsInit, GuestsService, OwnersChange } from './types.ts'

/** The service, for `createLibp2p({ services })`. */
export function guests(init: GuestsInit): (components: GuestsComponents) => GuestsService {
  return (components) => new Guests(components, init)
}

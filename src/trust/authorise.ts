import { whyNot } from './grants/chain.ts'
import { isUnder, QUOTA_KEYS } from './grants/terms.ts'
import type { Grant, GrantAction, GrantChain } from './grants/types.ts'
import { heirOf, type Successors } from './successors.ts'

/** What can be asked of a node. Each is the name of the protocol it arrives on. */
export const ACTIONS = [
  'apply',
  'delete',
  'capacity',
  'fetch',
  'status',
  'logs',
  'events',
  'exec',
  'members',
  'providers',
  'audit',
  'forward',
  'present',
  'revoke',
  'grants',
  'trust',
  'inspect',
  'evict',
  'cordon',
  'drain'
] as const
export type Action = (typeof ACTIONS)[number]

/** What a grant must give for it. any: all that let a person do something, so not mere membership · anybody: nothing */
const NEEDED: Readonly<Record<Action, GrantAction | 'any' | 'anybody'>> = {
  apply: 'apply',
  delete: 'delete',
  capacity: 'apply',
  fetch: 'apply', // because what it is for is to apply it again
  status: 'read',
  logs: 'logs',
  events: 'read',
  exec: 'exec',
  members: 'any',
  providers: 'any',
  forward: 'any',
  present: 'anybody', // because it is how somebody becomes known
  revoke: 'any', // because what it carries is signed, and counts by who signed it
  grants: 'admin',
  trust: 'admin',
  cordon: 'admin',
  drain: 'admin',
  audit: 'admin',
  inspect: 'read',
  evict: 'admin' // the handler asks for more: an owner
}

export interface AuthoriseRequest {
  /** Peer ID of the key that signed the request. */
  readonly author: string
  readonly action: Action
  /** The request is for another node, and only to be passed on. */
  readonly forwarding?: boolean
  /** The manifest it is about, once that is known. A door asks without it, before anything is decrypted. */
  readonly about?: {
    /** Peer ID of who signed its record. */
    readonly owner: string
    readonly namespace: string
    /** Names of its images, without tag and digest. */
    readonly images?: readonly string[]
    /** What all of the author's workloads on this node would take with it. */
    readonly use?: GrantUse
  }
}

/** Copies and what is booked for them. */
export type GrantUse = Readonly<Record<(typeof QUOTA_KEYS)[number], number>>

/** What the decision is made from; nothing else may matter. */
export interface TrustState {
  /** Peer IDs in `<data-dir>/owners`: the roots. */
  readonly owners: ReadonlySet<string>
  /** Owners' keys that others took the place of: what they run is theirs. @default none */
  readonly successors?: Successors
  /** What an author has shown, checked apart from time, root and revocation. */
  readonly chainsOf: (author: string) => readonly GrantChain[]
  readonly isRevoked: (link: Grant, chain: GrantChain) => boolean
  readonly nowMs: number
}

/** A node that knows its owners and nobody else. */
export function ownersOnly(owners: ReadonlySet<string>): TrustState {
  return { owners, chainsOf: () => [], isRevoked: () => false, nowMs: 0 }
}

export type Decision =
  /** `grant`: what it rests on; undefined for an owner, who is bound by nothing here. */
  | { readonly allowed: true; readonly rule: string; readonly grant?: GrantChain }
  | { readonly allowed: false; readonly rule: string; readonly reason: string; readonly hint: string }

/**
 * Whether the author may do this here. Pure: no clock, no I/O; every door asks it and nobody else decides.
 * The rule that decided is part of the answer.
 */
export function authorise(request: AuthoriseRequest, state: TrustState): Decision {
  const { author, action, about } = request
  const needed = NEEDED[action]
  const isOwn =
    about === undefined || about.owner === author || heirOf(state.successors, about.owner) === author
  // an owner's own things; other owners' are theirs
  if (state.owners.has(author) && isOwn) return { allowed: true, rule: 'owners-file' }
  if (needed === 'anybody') return { allowed: true, rule: 'anybody' }
  // because the old key of an owner must still be able to tell a node that was away of the new one
  if (request.forwarding && action === 'trust' && state.successors?.has(author))
    return { allowed: true, rule: 'predecessor' }
  const refusals: { readonly rule: string; readonly reason: string }[] = []
  for (const chain of state.chainsOf(author)) {
    const refusal =
      whyNot(chain, { roots: state.owners, isRevoked: state.isRevoked, nowMs: state.nowMs }) ??
      missing(chain, { needed, about, isOwn, successors: state.successors })
    if (refusal === undefined) return { allowed: true, rule: 'grant', grant: chain }
    refusals.push(refusal)
  }
  return denied(request, refusals)
}

/** What a chain that counts does not give for this; undefined: it gives it. */
function missing(
  { root, terms, links }: GrantChain,
  {
    needed,
    about,
    isOwn,
    successors
  }: Pick<AuthoriseRequest, 'about'> &
    Pick<TrustState, 'successors'> & { needed: GrantAction | 'any'; isOwn: boolean }
): { rule: string; reason: string } | undefined {
  const id = links.at(-1)!.id.slice(0, 12)
  if (!gives(terms.actions, needed))
    return { rule: 'grant-action', reason: `grant ${id} gives ${terms.actions.join(', ')}` }
  if (about === undefined) return undefined
  // what hangs from a root is about that root's own manifests, and the subject's
  if (!isOwn && about.owner !== root && heirOf(successors, about.owner) !== root)
    return { rule: 'grant-owner', reason: `grant ${id} is not about what ${about.owner} runs` }
  if (terms.namespaces.length > 0 && !terms.namespaces.includes(about.namespace))
    return { rule: 'grant-namespace', reason: `grant ${id} is for namespaces ${terms.namespaces.join(', ')}` }
  const image = about.images?.find((one) => !isAllowed(one, terms.registries))
  if (image !== undefined)
    return {
      rule: 'grant-registry',
      reason: `grant ${id} is for images below ${terms.registries.join(', ')}`
    }
  const over = about.use && overQuota(links.at(-1)!, about.use)
  if (over !== undefined) return { rule: 'grant-quota', reason: over }
  return undefined
}

/** In what a use is above the quota of a grant; undefined: it is not. */
export function overQuota({ id, quota }: Pick<Grant, 'id' | 'quota'>, use: GrantUse): string | undefined {
  for (const key of QUOTA_KEYS) {
    const most = quota[key]
    if (most !== undefined && use[key] > most)
      return `grant ${id.slice(0, 12)} gives ${key} ${most} on a node, this would make it ${use[key]}`
  }
  return undefined
}

function isAllowed(image: string, registries: readonly string[]): boolean {
  return registries.length === 0 || registries.some((prefix) => isUnder(image, prefix))
}

function gives(actions: readonly GrantAction[], needed: GrantAction | 'any'): boolean {
  if (actions.includes('admin')) return true
  if (needed === 'any' || needed === 'read') return actions.some((action) => action !== 'member')
  return actions.includes(needed)
}

function denied(
  { author, action }: AuthoriseRequest,
  refusals: readonly { readonly rule: string; readonly reason: string }[]
): Decision & { allowed: false } {
  const [first] = refusals
  if (first === undefined)
    return {
      allowed: false,
      rule: 'owners-file',
      reason: `${author} is not an owner of this node, so it may not ask for ${action}`,
      hint: `If it should, restart the node with --owner ${author}, or give it a grant with "beemesh grant create".`
    }
  const reasons = [...new Set(refusals.map(({ reason }) => reason))].slice(0, 3)
  return {
    allowed: false,
    rule: first.rule,
    reason: `${author} may not ask for ${action}: ${reasons.join('; ')}`,
    hint: 'Ask the owner for a grant that gives this.'
  }
}

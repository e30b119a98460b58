/** What an owner can ask of a node. Each is the name of the protocol it arrives on. */
export const ACTIONS = [
  'apply',
  'delete',
  'status',
  'logs',
  'events',
  'exec',
  'members',
  'providers',
  'audit',
  'forward'
] as const
export type Action = (typeof ACTIONS)[number]

export interface AuthoriseRequest {
  /** Peer ID of the key that signed the request. */
  readonly author: string
  readonly action: Action
}

/** What the decision is made from; nothing else may matter. */
export interface TrustState {
  /** Peer IDs in `<data-dir>/owners`. */
  readonly owners: ReadonlySet<string>
}

export type Decision =
  | { readonly allowed: true; readonly rule: string }
  | { readonly allowed: false; readonly rule: string; readonly reason: string; readonly hint: string }

/**
 * Whether the author may do this here. Pure: no clock, no I/O; every door asks it and nobody else decides.
 * The rule that decided is part of the answer.
 */
export function authorise({ author, action }: AuthoriseRequest, { owners }: TrustState): Decision {
  if (owners.has(author)) return { allowed: true, rule: 'owners-file' }
  return {
    allowed: false,
    rule: 'owners-file',
    reason: `${author} is not an owner of this node, so it may not ask for ${action}`,
    hint: `If it should, restart the node with --owner ${author} (or add the line to its owners file).`
  }
}

import { imageNamesOf, type Manifest } from '../manifest/index.ts'
import { type Action, authorise, type Decision, type GrantUse, TrustError } from '../trust/index.ts'
import type { Context } from './context.ts'
import { allCopies } from './manifest-table.ts'
import type { StoredManifest } from './types.ts'

/** Whether somebody may do this with a manifest that this node holds. What may not be seen is as if it were not there. */
export function mayAsk(
  { init }: Pick<Context, 'init'>,
  author: string,
  action: Action,
  { owner, namespace }: Pick<StoredManifest, 'owner' | 'namespace'>
): boolean {
  if (init.trust === undefined) return owner === author
  return authorise({ author, action, about: { owner, namespace } }, init.trust()).allowed
}

/**
 * Whether the author of a manifest may run so many copies of it here: namespace, images and quota of its grant. An owner of this node is
 * bound by none.
 * @throws TrustError NOT_AUTHORISED with the rule that refused
 */
export function assertMayApply(
  context: Pick<Context, 'init' | 'table'>,
  manifest: Manifest,
  {
    manifestId,
    owner,
    copies
  }: { readonly manifestId: Uint8Array; readonly owner: string; readonly copies: number }
): void {
  const { init, table } = context
  if (init.trust === undefined) return
  const others = table
    .live()
    .filter((held) => held.owner === owner && Buffer.compare(held.manifestId, manifestId) !== 0)
  const use = others.reduce(add, {
    cpuMillis: manifest.resources.cpuMillis * copies,
    memoryBytes: manifest.resources.memoryBytes * copies,
    storageBytes: manifest.resources.storageBytes * copies,
    workloads: copies
  })
  const about = { owner, namespace: manifest.namespace, images: imageNamesOf(manifest), use }
  const decision = authorise({ author: owner, action: 'apply', about }, init.trust())
  if (!decision.allowed) throw toError(decision, init.key.peerId, owner)
}

function add(sum: GrantUse, held: StoredManifest): GrantUse {
  const copies = allCopies(held).length
  return {
    cpuMillis: sum.cpuMillis + held.cpuMillis * copies,
    memoryBytes: sum.memoryBytes + held.memoryBytes * copies,
    storageBytes: sum.storageBytes + held.storageBytes * copies,
    workloads: sum.workloads + copies
  }
}

function toError(
  { reason, hint, rule }: Decision & { allowed: false },
  node: string,
  author: string
): TrustError {
  return new TrustError('NOT_AUTHORISED', reason, { hint, details: { author, rule, node } })
}

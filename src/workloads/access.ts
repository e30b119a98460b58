import { equalBytes } from '../common/index.ts'
import { imageNamesOf, type Manifest } from '../manifest/index.ts'
import { type Action, authorise, type GrantUse, overQuota, TrustError } from '../trust/index.ts'
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
  const trust = init.trust()
  const others = table.live().filter((held) => !equalBytes(held.manifestId, manifestId))
  const wanted = {
    cpuMillis: manifest.resources.cpuMillis * copies,
    memoryBytes: manifest.resources.memoryBytes * copies,
    storageBytes: manifest.resources.storageBytes * copies,
    workloads: copies
  }
  const useOf = (isTheirs: (held: StoredManifest) => boolean) => others.filter(isTheirs).reduce(add, wanted)
  const use = useOf((held) => held.owner === owner)
  const about = { owner, namespace: manifest.namespace, images: imageNamesOf(manifest), use }
  const decision = authorise({ author: owner, action: 'apply', about }, trust)
  const error = (reason: string, rule: string, hint?: string) =>
    new TrustError('NOT_AUTHORISED', reason, {
      hint,
      details: { author: owner, rule, node: init.key.peerId }
    })
  if (!decision.allowed) throw error(decision.reason, decision.rule, decision.hint)
  // because quotas that are passed on would add up: each link is held to what all below it run together
  for (const link of decision.grant?.links.slice(0, -1) ?? []) {
    const hangsBelow = (author: string) =>
      author === link.subject ||
      trust.chainsOf(author).some(({ links }) => links.some(({ id }) => id === link.id))
    const reason = overQuota(
      link,
      useOf((held) => hangsBelow(held.owner))
    )
    if (reason !== undefined) throw error(reason, 'grant-quota')
  }
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

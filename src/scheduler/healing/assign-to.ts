import { toError, withDeadline } from '../../common/index.ts'
import type { AssignRequestInit } from '../../generated/fbs/index.ts'
import { ASK_TIMEOUT_MS } from '../constants.ts'
import { giveFacts } from '../facts/take-facts.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import type { Kept, World } from '../types.ts'
import { nameOf } from './neighbours.ts'

/** An assignment is answered when the copy is written down, and the node may have to get the key first. */
const ASSIGN_TIMEOUT_MS = 15_000

/** Proposes to a node what it should run or stop. @returns its code when it refuses, UNREACHABLE when it does not answer */
export async function assignTo(
  { world, kept, signal }: { readonly world: World; readonly kept: KeptTable; readonly signal: AbortSignal },
  peerId: string,
  { bundle, record }: Kept,
  what: Pick<AssignRequestInit, 'ordinals' | 'surplus' | 'replicas'>
): Promise<{ code?: string | undefined }> {
  const timeoutMs = (what.ordinals?.length ?? 0) > 0 ? ASSIGN_TIMEOUT_MS : ASK_TIMEOUT_MS
  try {
    return await world.asks.assign(
      peerId,
      { ...bundle, ...what, facts: giveFacts(kept, record.manifestId) },
      { signal: withDeadline(timeoutMs, signal) }
    )
  } catch (error) {
    world.log('%s does not answer: %s', nameOf(world, peerId), toError(error).message)
    return { code: 'UNREACHABLE' }
  }
}

import { type Abortable, equalBytes, timeoutSignal } from '../../common/index.ts'
import { decode, INSPECTION, openObject, RECORD } from '../../envelope/index.ts'
import { encodeQuery, type Record as RecordBody } from '../../generated/fbs/index.ts'
import { FENCE_KEEPERS, rank } from '../../scheduler/index.ts'
import type { Session } from '../connection/session.ts'
import type { SeenNode } from '../nodes.ts'

/** Nodes asked for the version before: as many as keep it, and some more. Chosen. */
const MAX_ASKED = 9
/** A node's answer; it is local work of a few ms. Chosen. */
const ASK_TIMEOUT_MS = 3_000

export interface FenceKeepersOptions extends Abortable {
  readonly session: Session
  /** Nearest to the manifest first. */
  readonly nodes: readonly SeenNode[]
}

/**
 * Who is to let the copies of a fenced manifest run: the members nearest to it, an odd number. Those of the version before stay it, because
 * two sets of which a majority each need not share a node could let two nodes run one copy; also when that one deletes it, because a node that
 * has not heard so may run a copy still. For the same reason members that are away count, too: on one side of a partition the version before
 * may not be found, and those of the other side must not be left out.
 * @param isNew whatever was before: its owner knows that a majority of those is gone for good
 * @returns their public keys
 */
export async function chooseFenceKeepers(
  manifestId: Uint8Array,
  { session, nodes, isNew = false, signal }: FenceKeepersOptions & { readonly isNew?: boolean | undefined }
): Promise<Uint8Array[]> {
  const members = rank(
    manifestId,
    nodes.filter(({ member }) => member)
  )
  const before = isNew ? [] : await fenceKeepersBefore(manifestId, { session, nodes: members, signal })
  if (before.length > 0) return before
  return members.slice(0, oddNumber(members.length)).map(({ publicKey }) => publicKey)
}

/** 5, 3 or 1: one more of an even number would only be one more that has to agree. */
export function oddNumber(members: number): number {
  return members >= FENCE_KEEPERS ? FENCE_KEEPERS : members >= 3 ? 3 : Math.min(1, members)
}

/** Those that the newest version names which these nodes know of, tombstones included; none when they know of nothing that is fenced. */
export async function fenceKeepersBefore(
  manifestId: Uint8Array,
  { session, nodes, signal }: FenceKeepersOptions
): Promise<Uint8Array[]> {
  const here = nodes.filter(({ state }) => state === 'alive' || state === 'suspect')
  const found = await Promise.all(
    here.slice(0, MAX_ASKED).map((node) =>
      recordsOn(node, manifestId, { session, signal }).catch((): RecordBody[] => {
        signal?.throwIfAborted()
        return []
      })
    )
  )
  const newest = found.flat().sort((a, b) => b.version - a.version)[0]
  return newest?.fenceKeepers.map(({ node }) => node) ?? []
}

async function recordsOn(
  { publicKey, addresses }: SeenNode,
  manifestId: Uint8Array,
  { session, signal }: { session: Session } & Abortable
): Promise<RecordBody[]> {
  const { key, connection } = session
  const { networkId } = connection
  const limit = AbortSignal.any([timeoutSignal(ASK_TIMEOUT_MS), ...(signal === undefined ? [] : [signal])])
  const encode = (replyKey: Uint8Array) => encodeQuery({ replyKey, manifestIds: [{ value: manifestId }] })
  const records: RecordBody[] = []
  for await (const body of session.ask({ publicKey, addresses }, 'inspect', encode, { signal: limit }))
    for (const { record } of decode(INSPECTION, body).held) {
      if (record === undefined) continue
      const { author, body: signed } = openObject(record, { kind: 'record', networkId })
      const opened = decode(RECORD, signed)
      if (equalBytes(opened.manifestId, manifestId) && equalBytes(author, key.publicKey)) records.push(opened)
    }
  return records
}

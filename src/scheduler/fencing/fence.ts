import { toHex } from '../../common/index.ts'
import { decode, openObject } from '../../envelope/index.ts'
import { RECORD, type Record as RecordBody } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import type { Release } from '../../workloads/index.ts'

/** Who lets the copies of a manifest version run. */
export interface Fence {
  readonly version: number
  /** Peer IDs. */
  readonly keepers: readonly string[]
  /** Keepers that have to agree: any two majorities share one. */
  readonly majority: number
  /** fence: killed from outside when its lease is over; else (stop) the node stops it in order, when it can. */
  readonly byGuard: boolean
  /** SignedObject of kind record. */
  readonly record: Uint8Array
}

/** What a record says of it; undefined: nobody has to be asked. */
export function fenceOf(
  { version, onPartition, fenceKeepers, perNode, tombstone }: RecordBody,
  record: Uint8Array
): Fence | undefined {
  // a copy on every node is not one that may run only once
  if (onPartition === 'keep' || fenceKeepers.length === 0 || perNode || tombstone) return undefined
  const keepers = [...new Set(fenceKeepers.map(({ node }) => peerIdFromPublicKey(node)))]
  const majority = Math.floor(keepers.length / 2) + 1
  return { version, keepers, majority, byGuard: onPartition === 'fence', record }
}

/** Releases are looked at every second, and their records never change. Bounded by forgetting all. */
const known = new Map<string, Fence | undefined>()
const MAX_KNOWN = 4_096

/** The same of what this node holds, which was checked when it came. */
export function fenceOfRelease(
  { record, recordDigest, version }: Pick<Release, 'record' | 'recordDigest' | 'version'>,
  networkId: Uint8Array
): Fence | undefined {
  const key = `${toHex(recordDigest)} ${version}`
  if (known.has(key)) return known.get(key)
  if (known.size >= MAX_KNOWN) known.clear()
  const fence = fenceOf(decode(RECORD, openObject(record, { kind: 'record', networkId }).body), record)
  known.set(key, fence)
  return fence
}

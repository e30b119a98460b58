import { equalBytes, toHex } from '../../common/index.ts'
import type { FenceRequest, VerdictInit } from '../../generated/fbs/index.ts'
import { heirOf } from '../../trust/index.ts'
import { FENCE_HOLD_MS, FENCE_LEASE_MS, MAX_KEPT } from '../constants.ts'
import { SchedulerError } from '../errors.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import { refusal } from '../keeping/verdicts.ts'
import type { CheckedRecord, World } from '../types.ts'
import { type Fence, fenceOf } from './fence.ts'
import { HolderTable } from './holder-table.ts'

export interface FenceKeepingInit {
  readonly world: World
  readonly kept: KeptTable
  readonly check: (bytes: Uint8Array) => CheckedRecord
  /** Since boot, ms. */
  readonly clock: () => number
}

/** One fenced copy, as a keeper knows it. */
interface Holding {
  readonly peerId: string
  readonly version: number
  bootId: Uint8Array
  sequence: number
  /** On this node's boot clock. */
  untilMs: number
  /** Who has it is written down. */
  isOnDisk: boolean
  /** Another node wants it for a newer version: then the older one is not renewed. */
  wanted?: { readonly version: number; readonly untilMs: number }
}

interface Known {
  readonly fence: Fence
  readonly replicas: number
  readonly owner: string
}

/**
 * As one of the fence keepers of a manifest: lets one node at a time run each copy, for a lease. It decides alone, by its own clock; that a
 * copy never runs twice comes from the majority that every node needs.
 */
export class FenceKeeping {
  readonly #init: FenceKeepingInit
  readonly #holdings = new Map<string, Holding>()
  readonly #holders: HolderTable
  /** By manifest and version: what the records say, so that renewals need not bring them. */
  readonly #known = new Map<string, Known>()
  readonly #opened = Promise.withResolvers<void>()

  constructor(init: FenceKeepingInit) {
    this.#init = init
    this.#holders = new HolderTable(init.world.store)
  }

  /** Reads back who holds what. Nobody else gets it before the lease is over that may have been given just before the end. */
  async open(): Promise<void> {
    const nowMs = this.#init.clock()
    for await (const [key, { peerId, version }] of this.#holders.entries())
      this.#holdings.set(key, {
        peerId,
        version,
        bootId: new Uint8Array(16),
        sequence: Number.POSITIVE_INFINITY, // no late word of before counts
        untilMs: nowMs + FENCE_LEASE_MS,
        isOnDisk: true
      })
    this.#opened.resolve()
  }

  async answer(request: FenceRequest, from: string): Promise<VerdictInit> {
    const { world } = this.#init
    try {
      await this.#opened.promise // because this node's own copies may be asked for before it has begun
      if (!world.isMember(from)) throw new SchedulerError('NOT_FOR_STRANGERS', 'only members run copies')
      const key = `${toHex(request.manifestId)} ${request.ordinal}`
      if (request.release) this.#release(key, request, from)
      else {
        const highest = this.#assertCounts(request)
        await this.#grant(key, request, { from, highest })
      }
      return { highest: this.#highest(request.manifestId) }
    } catch (error) {
      return { ...refusal(error), highest: this.#highest(request.manifestId) }
    }
  }

  /** How many copies are held here. */
  get size(): number {
    return this.#holdings.size
  }

  /** Forgets what was deleted. */
  async sweep(): Promise<void> {
    const { kept, clock } = this.#init
    for (const [key, { untilMs }] of this.#holdings) {
      const record = kept.get(Buffer.from(key.split(' ')[0]!, 'hex'))?.record
      if (record?.tombstone !== true || clock() < untilMs + FENCE_HOLD_MS) continue
      this.#holdings.delete(key)
      await this.#holders.delete(key)
    }
  }

  #release(key: string, { bootId, sequence }: FenceRequest, from: string): void {
    const holding = this.#holdings.get(key)
    const isOwn = holding?.peerId === from && equalBytes(holding.bootId, bootId)
    if (isOwn && sequence >= holding.sequence) holding.untilMs = Number.NEGATIVE_INFINITY
  }

  /** @returns the newest version known here @throws SchedulerError NOT_KEPT, NOT_ALLOWED, NOT_NEEDED */
  #assertCounts(request: FenceRequest): number {
    const { world, kept } = this.#init
    const { manifestId, version, ordinal } = request
    const { fence, replicas, owner } = this.#knownOf(request)
    if (!fence.keepers.includes(world.key.peerId))
      throw new SchedulerError('NOT_ALLOWED', 'the record names other nodes as fence keepers')
    const record = kept.get(manifestId)?.record
    if (record !== undefined && !this.#isSameOwner(record.ownerPeerId, owner))
      throw new SchedulerError('NOT_ALLOWED', 'the manifest is of another owner')
    if (record?.tombstone && record.version >= version)
      throw new SchedulerError('NOT_NEEDED', 'the manifest was deleted')
    if (ordinal >= Math.max(1, replicas)) throw new SchedulerError('NOT_NEEDED', 'there is no such copy')
    return this.#highest(manifestId)
  }

  #knownOf({ manifestId, version, record: bytes }: FenceRequest): Known {
    const { kept, check } = this.#init
    const key = `${toHex(manifestId)} ${version}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const own = kept.get(manifestId)
    const isKept = own?.record.version === version
    if (!isKept && bytes === undefined)
      throw new SchedulerError('NOT_KEPT', 'this version is not known here: bring its record', {
        retryable: true
      })
    const record = isKept ? own.record : check(bytes!)
    const fence = fenceOf(record, isKept ? own.bundle.record : bytes!)
    if (!equalBytes(record.manifestId, manifestId) || record.version !== version || fence === undefined)
      throw new SchedulerError('NOT_ALLOWED', 'the record is no fenced one of this manifest and version')
    const found = { fence, replicas: record.replicas, owner: record.ownerPeerId }
    if (this.#known.size >= MAX_KEPT) this.#known.clear()
    this.#known.set(key, found)
    return found
  }

  async #grant(
    key: string,
    { version, bootId, sequence }: FenceRequest,
    { from, highest }: { from: string; highest: number }
  ): Promise<void> {
    const nowMs = this.#init.clock()
    const holding = this.#holdings.get(key)
    const isNew = holding?.peerId !== from
    if (holding !== undefined && isNew && nowMs < holding.untilMs + FENCE_HOLD_MS - FENCE_LEASE_MS)
      throw this.#held(holding, { version, nowMs })
    if (!isNew) assertGoesOn(holding!, { version, bootId, sequence, nowMs })
    // who has a copy may go on with the version it has until the newer one is wanted, because it has to be brought to it first
    else if (version < highest)
      throw new SchedulerError('NOT_ALLOWED', `the newest version known here is ${highest}`)
    if (isNew && holding === undefined && this.#holdings.size >= MAX_KEPT)
      throw new SchedulerError('NOT_ALLOWED', 'this node keeps too many fenced copies already')
    const wanted = isNew || version >= (holding?.wanted?.version ?? 0) ? undefined : holding?.wanted
    const untilMs = nowMs + FENCE_LEASE_MS
    const isOnDisk = !isNew && holding!.isOnDisk
    const next: Holding = { peerId: from, version, bootId, sequence, untilMs, wanted, isOnDisk }
    this.#holdings.set(key, next) // at once, so that nobody else gets it while it is written down
    if (isOnDisk) return
    await this.#holders.put(key, { peerId: from, version })
    const current = this.#holdings.get(key)
    if (current?.peerId === from) current.isOnDisk = true
  }

  /** Another node has it, or had it so lately that it may run there still. */
  #held(holding: Holding, { version, nowMs }: { version: number; nowMs: number }): SchedulerError {
    if (version > holding.version) holding.wanted = { version, untilMs: nowMs + FENCE_HOLD_MS }
    const isLive = nowMs < holding.untilMs && holding.sequence !== Number.POSITIVE_INFINITY
    const freeInMs = Math.ceil(holding.untilMs + FENCE_HOLD_MS - FENCE_LEASE_MS - nowMs)
    const what = `${holding.peerId.slice(-8)} was let run it, and may for ${freeInMs} ms more`
    return new SchedulerError(isLive ? 'HELD_ELSEWHERE' : 'FENCED', what, { retryable: true })
  }

  #highest(manifestId: Uint8Array): number {
    const { kept, world } = this.#init
    const runs = world.workloads.get(manifestId)
    return Math.max(kept.get(manifestId)?.record.version ?? 0, runs?.highest.version ?? 0)
  }

  #isSameOwner(one: string, other: string): boolean {
    const { successors } = this.#init.world.trust()
    return one === other || heirOf(successors, one) === heirOf(successors, other)
  }
}

/** @throws SchedulerError NOT_YET, NOT_ALLOWED */
function assertGoesOn(
  { bootId: known, sequence: last, wanted }: Holding,
  {
    version,
    bootId,
    sequence,
    nowMs
  }: { version: number; bootId: Uint8Array; sequence: number; nowMs: number }
): void {
  if (equalBytes(known, bootId) && sequence < last)
    throw new SchedulerError('NOT_YET', 'a later request came before this one')
  if (wanted !== undefined && wanted.version > version && wanted.untilMs > nowMs)
    throw new SchedulerError('FENCED', 'another node is to run it in a newer version')
}

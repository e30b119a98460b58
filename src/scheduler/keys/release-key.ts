import { equalBytes, toHex, withDeadline } from '../../common/index.ts'
import type { ReleasedInit, ReleaseRequest } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey, publicKeyFromPeerId } from '../../identity/index.ts'
import { openContentKey, sealReleased } from '../../sealing/index.ts'
import { CONFIRM_TIMEOUT_MS, GRANT_MS, MAX_KEPT } from '../constants.ts'
import { SchedulerError } from '../errors.ts'
import { liveCopies } from '../healing/count.ts'
import { seeCopies } from '../healing/see-copies.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import { refusal } from '../keeping/verdicts.ts'
import { mostReplicas } from '../scale/bounds.ts'
import type { CheckedRecord, World } from '../types.ts'
import { ownShare } from './own-share.ts'

/** States of a copy that was accepted and is no lease yet. */
const BEGUN: ReadonlySet<string> = new Set(['accepted', 'pulling', 'starting'])

export interface ReleasingInit {
  readonly world: World
  readonly kept: KeptTable
  readonly check: (bytes: Uint8Array) => CheckedRecord
  readonly signal: AbortSignal
}

/**
 * Gives the content key (as a node that runs the manifest) or a share of it (as a holder) to a node that is to run a copy. Each that gives
 * decides alone, from what it has seen itself: who asks is nobody it has to believe.
 */
export class Releasing {
  readonly #init: ReleasingInit
  /** Copies that a key or share was given for: by whom they are awaited, and until when. */
  readonly #granted = new Map<string, { peerId: string; untilMs: number }>()
  /** Copies that this node gives away while it still runs them. */
  readonly #draining = new Map<string, string>()

  constructor(init: ReleasingInit) {
    this.#init = init
  }

  /** This node hands its copy over to another one, which may have the key although the copy still runs. */
  drains(manifestId: Uint8Array, ordinal: number, to: string): void {
    if (this.#draining.size >= MAX_KEPT) this.#draining.clear()
    this.#draining.set(`${toHex(manifestId)} ${ordinal}`, to)
  }

  async answer(request: ReleaseRequest, from: string): Promise<ReleasedInit> {
    try {
      const record = this.#recordOf(request)
      await this.#assertAllowed(request, record, from)
      this.#recordOf(request) // because a newer version may have come while others were asked
      return await this.#give(request, record, from)
    } catch (error) {
      const { code, message = '' } = refusal(error)
      return { code, message: message.slice(0, 500) }
    }
  }

  /** The record of the newest version known here. @throws SchedulerError NOT_KEPT */
  #recordOf({ manifestId, version }: ReleaseRequest): CheckedRecord {
    const { kept, world, check } = this.#init
    const runs = world.workloads.get(manifestId)
    const record = kept.get(manifestId)?.record
    const newest = Math.max(record?.version ?? 0, runs?.highest.version ?? 0)
    if (newest !== version || record?.tombstone)
      throw new SchedulerError('NOT_KEPT', `the newest version known here is ${newest}`)
    if (record?.version === version) return record
    const release = [runs, runs?.next].find((one) => one?.version === version)
    if (runs?.tombstone !== false || release === undefined)
      throw new SchedulerError('NOT_KEPT', 'this node does not keep the manifest')
    return check(release.record)
  }

  /** @throws SchedulerError NOT_FOR_STRANGERS, NOT_ALLOWED, NOT_NEEDED, NOT_YET */
  async #assertAllowed({ ordinals }: ReleaseRequest, record: CheckedRecord, from: string): Promise<void> {
    const { world, signal } = this.#init
    if (!world.isMember(from)) throw new SchedulerError('NOT_FOR_STRANGERS', 'keys are for members')
    const asker = publicKeyFromPeerId(from)
    const allowed = record.recoveryNodes
    if (allowed.length > 0 && !allowed.some(({ node }) => equalBytes(node, asker)))
      throw new SchedulerError('NOT_ALLOWED', 'its owner named other nodes that may have the key')
    if (ordinals.length === 0 || ordinals.some((one) => one >= Math.max(1, mostReplicas(record))))
      throw new SchedulerError('NOT_NEEDED', 'there are no such copies')
    const limit = withDeadline(CONFIRM_TIMEOUT_MS, signal)
    // because a holder mostly does not watch what it holds a share of
    const leases = await seeCopies(world, record.manifestId, { signal: limit })
    const others = liveCopies(leases).filter(({ peerId }) => peerId !== from)
    const own = world.workloads.get(record.manifestId)
    for (const ordinal of ordinals) {
      const key = `${toHex(record.manifestId)} ${ordinal}`
      // no lease tells of a copy that is only being started, but here it is known
      const isBegun = own?.workloads.some((copy) => copy.ordinal === ordinal && BEGUN.has(copy.state))
      if (isBegun && own?.version === record.version && !record.perNode && this.#draining.get(key) !== from)
        throw new SchedulerError('NOT_YET', `copy ${ordinal} is being started here`)
      const held = others.find((copy) => copy.ordinal === ordinal)
      const mayHave = record.perNode || held === undefined || this.#draining.get(key) === from
      if (!mayHave)
        throw new SchedulerError(
          'NOT_YET',
          `copy ${ordinal} runs on ${held.peerId.slice(-8)}, as far as is seen here`
        )
      const granted = this.#granted.get(key)
      if (
        !record.perNode &&
        granted !== undefined &&
        granted.peerId !== from &&
        granted.untilMs > world.now()
      )
        throw new SchedulerError('NOT_YET', `the key for copy ${ordinal} was just given to another node`)
    }
    for (const ordinal of ordinals) this.#grant(`${toHex(record.manifestId)} ${ordinal}`, from)
  }

  #grant(key: string, peerId: string): void {
    const nowMs = this.#init.world.now()
    this.#granted.delete(key)
    this.#granted.set(key, { peerId, untilMs: nowMs + GRANT_MS })
    if (this.#granted.size > MAX_KEPT) this.#granted.delete(this.#granted.keys().next().value!)
  }

  async #give(request: ReleaseRequest, record: CheckedRecord, from: string): Promise<ReleasedInit> {
    const { world, kept } = this.#init
    const asker = world.neighbours().find(({ peerId }) => peerId === from)
    if (asker === undefined || asker.sealingEpoch !== request.sealingEpoch)
      throw new SchedulerError('NOT_YET', 'the sealing key of the node that asks is not known here yet')
    const { manifestId, version, owner } = record
    const releaser = world.key.publicKey
    const about = { networkId: world.networkId, owner, manifestId, version }
    const to = { ...about, releaser, recipient: asker.publicKey, sealingPublicKey: asker.sealingKey }
    const key =
      (await world.workloads.contentKeyOf(manifestId, version)) ?? (await this.#standbyKeyOf(record))
    if (key !== undefined) {
      const sealed = await sealReleased({ ...to, index: 0, secret: key })
      key.fill(0)
      return { index: 0, ...sealed }
    }
    const own = await ownShare(world, kept, record)
    if (own === undefined)
      throw new SchedulerError(
        'NOT_KEPT',
        `${peerIdFromPublicKey(releaser).slice(-8)} has neither key nor share`
      )
    const { share, index } = own
    const sealed = await sealReleased({ ...to, index, secret: share })
    share.fill(0)
    return { index, ...sealed }
  }

  /** The key as its owner sealed it to this node in case others are lost. Secret. */
  async #standbyKeyOf(record: CheckedRecord): Promise<Uint8Array | undefined> {
    const { world, kept } = this.#init
    const { manifestId, version, owner, keyCommitment: commitment } = record
    const mine = kept.get(manifestId)
    const recipient = world.key.publicKey
    const own = mine?.bundle.sealedKeys.find((one) => equalBytes(one.recipient, recipient))
    if (own === undefined || commitment === undefined || mine?.record.version !== version) return undefined
    const { enc, ciphertext } = own
    const sealingKey = world.sealingKey(own.sealingEpoch)
    const about = { networkId: world.networkId, owner, manifestId, version, commitment }
    return openContentKey({ ...about, sealingKey, recipient, enc, ciphertext })
  }
}

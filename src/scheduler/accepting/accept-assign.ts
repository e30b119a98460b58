import { toHex, withDeadline } from '../../common/index.ts'
import type { AssignRequest, VerdictInit } from '../../generated/fbs/index.ts'
import type { Bundle } from '../../workloads/index.ts'
import { CONFIRM_TIMEOUT_MS, MAX_KEPT, SEE_DEATH_MS, SEE_DEATH_RETRY_MS } from '../constants.ts'
import { SchedulerError } from '../errors.ts'
import type { Fact } from '../facts/fact.ts'
import { pastOf, toldOf } from '../facts/past.ts'
import { allFacts } from '../facts/take-facts.ts'
import { type LiveCopy, liveCopies } from '../healing/count.ts'
import { seeCopies } from '../healing/see-copies.ts'
import { refusal } from '../keeping/verdicts.ts'
import { keyFor } from '../keys/key-for.ts'
import type { CheckedRecord } from '../types.ts'
import { type DroppingInit, dropSurplus } from './drop-surplus.ts'

export interface AcceptingInit extends DroppingInit {
  readonly check: (bytes: Uint8Array) => CheckedRecord
  /** Copies are about to be started here. */
  readonly onStarting: (record: CheckedRecord, bytes: Uint8Array, ordinals: readonly number[]) => void
  /** Those of the copies that another node has begun to run since. */
  readonly begunElsewhere: (
    record: CheckedRecord,
    ordinals: readonly number[],
    sinceMs: number
  ) => readonly number[]
}

/** Copies to be started here. @property giver a node that gives its own away */
interface Needed {
  readonly record: CheckedRecord
  readonly ordinals: readonly number[]
  readonly giver: string | undefined
}

/**
 * Takes copies that a keeper proposes. The keeper is believed nothing: the record is an owner's, whether a copy is missing or too many this
 * node has seen itself.
 */
export class Accepting {
  readonly #init: AcceptingInit
  /** Copies being started here, and what became of those that failed, until somebody asks. */
  readonly #underway = new Map<string, Promise<VerdictInit>>()
  readonly #failed = new Map<string, VerdictInit>()

  constructor(init: AcceptingInit) {
    this.#init = init
  }

  async answer(request: AssignRequest, from: string): Promise<VerdictInit> {
    const { world, check, kept } = this.#init
    try {
      if (!world.isMember(from)) throw new SchedulerError('NOT_FOR_STRANGERS', 'only members assign copies')
      const record = check(request.record)
      const newer = kept.get(record.manifestId)
      const highest = Math.max(
        newer?.record.version ?? 0,
        world.workloads.get(record.manifestId)?.highest.version ?? 0
      )
      if (newer !== undefined && newer.record.version > record.version)
        return { code: 'VERSION_STALE', highest, record: newer.bundle.record }
      if (record.tombstone) await world.workloads.bury(record, request.record)
      else {
        if (request.surplus.length > 0) await dropSurplus(this.#init, record, { request, from })
        if (request.ordinals.length > 0) return await this.#start(record, request, from)
      }
      return { highest }
    } catch (error) {
      return refusal(error)
    }
  }

  /** Answered when the copies are written down. */
  async #start(record: CheckedRecord, request: AssignRequest, from: string): Promise<VerdictInit> {
    const ordinals = [...request.ordinals].sort((a, b) => a - b)
    const key = `${toHex(record.digest)} ${ordinals}`
    const failed = this.#failed.get(key)
    if (failed !== undefined) {
      this.#failed.delete(key) // said once; who asks again wants it tried again
      return failed
    }
    const underway = this.#underway.get(key)
    if (underway !== undefined) return underway
    const { promise, resolve } = Promise.withResolvers<VerdictInit>()
    this.#underway.set(key, promise)
    void this.#run(record, {
      request,
      ordinals,
      from,
      onAccepted: () => resolve({ highest: record.version })
    })
      .catch((error: unknown) => {
        const verdict = refusal(error)
        this.#init.world.log.error('copies %s are not started: %s', ordinals.join(), verdict.message)
        if (this.#failed.size < MAX_KEPT) this.#failed.set(key, verdict)
        resolve(verdict)
      })
      .finally(() => {
        this.#underway.delete(key)
        resolve({ highest: record.version })
      })
    const verdict = await promise
    if (verdict.code !== undefined) this.#failed.delete(key)
    return verdict
  }

  async #run(
    record: CheckedRecord,
    {
      request,
      ordinals,
      from,
      onAccepted
    }: { request: AssignRequest; ordinals: readonly number[]; from: string; onAccepted: () => void }
  ): Promise<void> {
    const { world, begunElsewhere } = this.#init
    const askedAtMs = world.now()
    const assertOurs = () => {
      // because a keeper that waits for this node as long as getting the key may take asks the next one
      if (record.perNode) return
      const gone = begunElsewhere(record, ordinals, askedAtMs)
      if (gone.length > 0)
        throw new SchedulerError('NOT_NEEDED', `copies ${gone.join()} are being started elsewhere`)
      // nobody ran them when this node began to wait; it would be given the key once that one is gone, which is when all are deleted
      const live = record.lifetime === 'cron' ? [] : liveCopies(world.leased(record.manifestId))
      const other = this.#otherOf(live, needed)
      if (other !== undefined) throw runsElsewhere(other)
    }
    const facts = allFacts(world, this.#init.kept, { record, given: request })
    const needed = { record, ordinals, giver: request.drains ? from : undefined }
    await this.#assertNeeded(needed, facts)
    const { record: bytes, ciphertext, sealedKeys, sealedShares } = request
    const bundle: Bundle = { record: bytes, ciphertext, sealedKeys, sealedShares }
    const runs = world.workloads.get(record.manifestId)
    const hasIt = runs?.content !== undefined && runs.version === record.version
    const sealedKey = hasIt
      ? undefined
      : await keyFor(this.#init, record, { bundle, ordinals, assertWanted: assertOurs })
    assertOurs()
    const { owner, ownerPeerId } = record
    this.#init.onStarting(record, bytes, ordinals)
    const stored = await world.workloads.assign({
      owner,
      ownerPeerId,
      record,
      bundle,
      sealedKey,
      ordinals,
      isKept: true,
      past: pastOf(facts, {
        version: record.version,
        ordinals,
        self: world.key.peerId,
        nowMs: world.now()
      }),
      report: onAccepted
    })
    const failed = stored.workloads.find(
      ({ ordinal, state }) => ordinals.includes(ordinal) && state === 'failed'
    )
    if (failed !== undefined)
      throw new SchedulerError('NOT_STARTED', failed.message ?? 'the copy failed to start', {
        retryable: true
      })
  }

  /** @throws SchedulerError NOT_NEEDED when another node runs it, as far as is seen here */
  async #assertNeeded(needed: Needed, facts: readonly Fact[]): Promise<void> {
    const { record, ordinals } = needed
    if (record.perNode) return
    const { world } = this.#init
    const { over, schedules } = toldOf(record, facts, world.neighbours())
    if (ordinals.every((ordinal) => over?.has(ordinal)))
      throw new SchedulerError('NOT_NEEDED', `copies ${ordinals.join()} are done`)
    const untilMs = world.now() + SEE_DEATH_MS
    for (;;) {
      const live = schedules ?? liveCopies(await seeCopies(world, record.manifestId, this.#confirmLimit()))
      const other = this.#otherOf(live, needed)
      if (other === undefined) return
      if (schedules !== undefined || world.now() >= untilMs) throw runsElsewhere(other)
      await world.delay(SEE_DEATH_RETRY_MS, { signal: this.#init.signal })
    }
  }

  #otherOf(live: readonly LiveCopy[], { record, ordinals, giver }: Needed): LiveCopy | undefined {
    return live.find(
      ({ peerId, ordinal, version }) =>
        peerId !== this.#init.world.key.peerId &&
        peerId !== giver &&
        ordinals.includes(ordinal) &&
        version === record.version
    )
  }

  #confirmLimit(): { signal: AbortSignal } {
    return { signal: withDeadline(CONFIRM_TIMEOUT_MS, this.#init.signal) }
  }
}

function runsElsewhere({ ordinal, peerId }: LiveCopy): SchedulerError {
  return new SchedulerError('NOT_NEEDED', `copy ${ordinal} runs on ${peerId.slice(-8)}`)
}

import { equalBytes, withDeadline } from '../../common/index.ts'
import type { KeepRequest, VerdictInit } from '../../generated/fbs/index.ts'
import { heirOf } from '../../trust/index.ts'
import { type Bundle, type KeepOptions, WorkloadsError } from '../../workloads/index.ts'
import { ASK_TIMEOUT_MS, LET_GO_RANK } from '../constants.ts'
import { SchedulerError } from '../errors.ts'
import { giveFacts, takeFacts } from '../facts/take-facts.ts'
import type { CheckedRecord, Kept, Neighbour, World } from '../types.ts'
import type { KeptTable } from './kept-table.ts'
import { isNamed, Offering } from './offering.ts'
import { Pushing } from './pushing/pushing.ts'
import { Ranking } from './ranking.ts'
import { Starting } from './starting.ts'
import { Unwritten } from './unwritten.ts'
import { assertComplete, refusal } from './verdicts.ts'

/** Manifests that an alarm was given for. Chosen: an owner who does this a thousand times is known by then. */
const MAX_ALARMS = 1_000

export interface KeepingInit {
  readonly world: World
  readonly kept: KeptTable
  readonly check: (bytes: Uint8Array) => CheckedRecord
  /** An owner signed two records with one version. */
  readonly onEquivocation?: ((record: CheckedRecord) => void) | undefined
  /** A version came that was not known. @param ordinals copies that whoever brought it runs, or is about to run */
  readonly onKept: (kept: Kept, from: string, ordinals: readonly number[]) => void
  /** Whether other nodes are known of, though maybe not met yet. @default none is */
  readonly hasOthers?: () => boolean
  readonly signal: AbortSignal
}

/** Keeps records and ciphertexts for owners, and sees that the members nearest to each manifest all do. */
export class Keeping {
  readonly #init: KeepingInit
  readonly #ranking: Ranking
  /** Who is about to run what. */
  readonly starting: Starting
  readonly #alarmed = new Set<string>()
  readonly #offering: Offering
  readonly #unwritten: Unwritten
  readonly #pushing: Pushing

  constructor(init: KeepingInit) {
    this.#init = init
    this.#ranking = new Ranking(init.world)
    this.starting = new Starting({ ...init, ranked: (manifestId) => this.ranked(manifestId) })
    this.#unwritten = new Unwritten({
      ...init,
      take: ({ record, bundle, from }) => this.take(record, bundle, { from })
    })
    this.#offering = new Offering({
      ...init,
      ranked: (manifestId) => this.ranked(manifestId),
      isMine: (record) => this.isMine(record),
      onRecord: (bytes) => this.#learn(bytes),
      onOther: (record, bytes) => this.#compareEvidence(record, bytes)
    })
    this.#pushing = new Pushing({
      ...init,
      keepersOf: (record) => this.#offering.keepersOf(record),
      take: (...what) => this.take(...what),
      tellHighest: (record) => this.#tellHighest(record),
      onOther: (record, bytes) => this.#compareEvidence(record, bytes)
    })
  }

  /** Members that count, nearest to the manifest first: those that are thought to live. */
  ranked(manifestId: Uint8Array): Neighbour[] {
    return this.#ranking.of(manifestId)
  }

  /** Whether this node is to keep it: near enough, holder of a share, or one that lets copies of it run. */
  isMine(record: CheckedRecord): boolean {
    const { key } = this.#init.world
    const near = this.ranked(record.manifestId).slice(0, LET_GO_RANK)
    return isNamed(record, key.publicKey) || near.some(({ self }) => self)
  }

  /** Another node brings a version, or asks whether it is the newest. */
  async answer(request: KeepRequest, from: string): Promise<VerdictInit> {
    const { world, check, kept } = this.#init
    try {
      if (!world.isMember(from)) throw new SchedulerError('NOT_FOR_STRANGERS', 'only members are kept for')
      const record = check(request.record)
      const { ciphertext, sealedKeys, sealedShares } = request
      if (!record.tombstone && ciphertext === undefined) {
        await takeFacts(world, kept, { record, given: request })
        const { ordinals, resuming } = request
        const taken = resuming ? this.starting.resume(record, from, ordinals) : []
        if (!resuming) this.starting.expect(record, from, ordinals)
        // with ordinals it runs them, and may not keep it
        const mine = kept.get(record.manifestId)?.record.version
        if (ordinals.length === 0 && mine === record.version) this.#offering.noteHas(record, from)
        return { ...this.#compare(record, from), taken }
      }
      const bundle = { record: request.record, ciphertext, sealedKeys, sealedShares }
      assertComplete(record, bundle)
      const before = this.#init.kept.get(record.manifestId)
      await this.#takeOrNote(record, bundle, { from, ordinals: request.ordinals })
      await takeFacts(world, kept, { record, given: request })
      this.#sendNewer(record, from)
      // what contradicts it goes back as evidence, so that whoever brought it sounds the alarm, too
      const isOther =
        before?.record.version === record.version && !equalBytes(before.record.digest, record.digest)
      const told = this.#tellHighest(record)
      return isOther ? { ...told, record: before.bundle.record } : told
    } catch (error) {
      return refusal(error)
    }
  }

  /** At each look: what could not be written down when it came. */
  look(): Promise<void> {
    return this.#unwritten.look()
  }

  async #takeOrNote(
    record: CheckedRecord,
    bundle: Bundle,
    how: { from: string; ordinals: readonly number[] }
  ) {
    try {
      await this.take(record, bundle, how)
    } catch (error) {
      const isRefused = error instanceof SchedulerError || error instanceof WorkloadsError
      if (!isRefused) this.#unwritten.note({ record, bundle, from: how.from })
      throw error
    }
  }

  /** Is it the newest? Of two with one version the lower goes to whoever has the other, so that all come to keep the same. */
  #compare(record: CheckedRecord, from: string): VerdictInit {
    const mine = this.#init.kept.get(record.manifestId)
    this.#sendNewer(record, from)
    const isOther = mine?.record.version === record.version && !equalBytes(mine.record.digest, record.digest)
    const told = this.#tellHighest(record)
    const keeps = mine?.record.version ?? 0
    // because one that runs it, and does not keep it yet, has only what is sealed to itself
    if (keeps < record.version)
      return { ...told, highest: told.highest > record.version ? told.highest : keeps }
    if (mine === undefined || !isOther) return told
    this.#alarm(record)
    if (Buffer.compare(mine.record.digest, record.digest) > 0) return { highest: record.version - 1 } // then it is sent
    this.#send(from, mine.bundle)
    return { highest: record.version }
  }

  /** Because the nearest keeper alone offers, what only a farther one has would else never come to it. */
  #sendNewer(record: CheckedRecord, from: string): void {
    const mine = this.#init.kept.get(record.manifestId)
    if (mine !== undefined && mine.record.version > record.version) this.#send(from, mine.bundle)
  }

  /** Nobody waits for it: it is offered again. */
  #send(peerId: string, bundle: Bundle): void {
    const { world, signal } = this.#init
    world.asks
      .keep(peerId, bundle, { signal: withDeadline(ASK_TIMEOUT_MS, signal) })
      .catch((error: unknown) => world.log('%s is not told what is kept here: %e', peerId, error))
  }

  /** A node that was given a record answers with another one of the same version. */
  #compareEvidence(record: CheckedRecord, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return
    try {
      const other = this.#init.check(bytes)
      const isSame = equalBytes(other.manifestId, record.manifestId) && other.version === record.version
      if (isSame && !equalBytes(other.digest, record.digest)) this.#alarm(other)
    } catch {} // because what does not verify is no evidence
  }

  /** Once for each manifest, because every keeper says it. */
  #alarm(record: CheckedRecord): void {
    const key = record.manifestId.join()
    if (this.#alarmed.has(key) || this.#alarmed.size >= MAX_ALARMS) return
    this.#alarmed.add(key)
    this.#init.onEquivocation?.(record)
  }

  /** @throws SchedulerError NOT_ALLOWED; WorkloadsError RECORD_EXPIRED */
  async take(
    record: CheckedRecord,
    bundle: Bundle,
    { from, ordinals = [] }: { from: string; ordinals?: readonly number[] }
  ): Promise<void> {
    const { world, kept, onKept } = this.#init
    if (record.notAfter <= world.now()) throw new WorkloadsError('RECORD_EXPIRED', 'the record is over')
    const before = kept.get(record.manifestId)
    if (before !== undefined && !this.#isSameOwner(before.record.ownerPeerId, record.ownerPeerId))
      throw new SchedulerError('NOT_ALLOWED', 'the manifest is of another owner')
    if (before === undefined && !this.isMine(record))
      throw new SchedulerError('NOT_ALLOWED', 'other members are nearer to this manifest')
    const taken = await kept.take(record, bundle, world.now())
    if (taken === 'equivocation') this.#alarm(record)
    if (taken === 'new' || taken === 'equivocation') {
      await this.#follow(record, bundle)
      this.#offering.noteNew(record)
    }
    if (taken === 'older') return
    const current = kept.get(record.manifestId)!
    onKept(current, from, ordinals)
    this.starting.note(current.record, ordinals, from)
  }

  /** What this node runs of a manifest that was deleted goes, too; of one that was changed it is noted. */
  async #follow(record: CheckedRecord, bundle: Bundle): Promise<void> {
    const { workloads, log } = this.#init.world
    const stored = workloads.get(record.manifestId)
    if (stored === undefined || !this.#isSameOwner(stored.owner, record.ownerPeerId)) return
    const following = record.tombstone ? workloads.bury(record, bundle.record) : workloads.passBy(record)
    void following.catch((error: unknown) => log.error('a newer version is not followed yet: %e', error))
  }

  /** Who signed it, or whoever took that one's place. */
  #isSameOwner(before: string, now: string): boolean {
    return before === now || heirOf(this.#init.world.trust().successors, before) === now
  }

  #tellHighest(asked: CheckedRecord): VerdictInit & { highest: number } {
    const { world, kept } = this.#init
    const mine = kept.get(asked.manifestId)
    const runs = world.workloads.get(asked.manifestId)
    const highest = Math.max(mine?.record.version ?? 0, runs?.highest.version ?? 0)
    const isNewer = mine !== undefined && mine.record.version > asked.version
    return {
      highest,
      record: isNewer ? mine.bundle.record : undefined,
      facts: giveFacts(kept, asked.manifestId)
    }
  }

  /** Gives a version to those nearest to it, see {@link Pushing.push}. */
  push(bundle: Bundle, options: KeepOptions): Promise<void> {
    return this.#pushing.push(bundle, options)
  }

  /** Gives what is kept to the keepers of now. @returns undefined: there is nothing to be done */
  offer(manifest: Kept): Promise<void> | undefined {
    return this.#offering.offer(manifest)
  }

  /** Another keeper knows a newer record; a tombstone is all there is to it, the rest comes from whoever has the ciphertext. */
  async #learn(bytes: Uint8Array): Promise<void> {
    const { check } = this.#init
    const record = check(bytes)
    if (record.tombstone)
      await this.take(record, { record: bytes, sealedKeys: [], sealedShares: [] }, { from: '' })
  }
}

import type { MemberState } from '../../generated/fbs/index.ts'
import { AtMost } from './at-most.ts'
import {
  CONFIRM_TIMEOUT_MS,
  DEAD_RETRY_MS,
  IDLE_AFTER_MS,
  IDLE_INTERVAL_MS,
  INTERVAL_JITTER,
  MAX_CONFIRMATIONS,
  MISSES_UNTIL_SUSPECT,
  PROBE_INTERVAL_MS,
  PROBE_TIMEOUT_MS,
  PROBES_PER_TICK,
  RETRY_ALL_MS,
  SILENCE_MS,
  TICK_MS,
  VOUCHED_INTERVAL_MS
} from './constants.ts'
import { fairTimeout } from './fair-timeout.ts'

/** How a suspect turned out to be there: it answered us, or it proved to us through another member that it answers. */
export type Sign = 'direct' | 'vouched'

export interface DetectorInit {
  /** Sends one probe over the connection; the answer comes as {@link Detector.heard}. */
  readonly probe: (peerId: string) => void
  /** Tries every way at once; undefined when none led to the member before the signal fired. Never rejects. */
  readonly confirm: (peerId: string, options: { signal: AbortSignal }) => Promise<Sign | undefined>
  readonly onState: (peerId: string, state: MemberState) => void
  /** Monotonic, ms. @default performance.now */
  readonly now?: () => number
  /** @default Math.random */
  readonly random?: () => number
}

interface Watched {
  state: MemberState
  connected: boolean
  idle: boolean
  /** Only others reach it. */
  vouched: boolean
  misses: number
  /** When it gave a sign of life last; monotonic ms. */
  heardMs: number
  /** To be probed, or without a connection confirmed, from here on; monotonic ms. */
  dueMs: number
  /** Since when nothing about it has changed. */
  changedMs: number
  /** Ends what is under way: the wait for an answer, or a confirmation. */
  probing?: () => void
  confirming?: () => void
}

/**
 * Who of the members is there, in the opinion of this node alone: nobody votes, and no peer's word makes a member dead.
 * alive -> suspect when probes stay unanswered or the connection is lost -> dead when it cannot be confirmed on any way.
 * Any sign of life leads back to alive. No I/O.
 */
export class Detector {
  readonly #init: DetectorInit
  readonly #now: () => number
  readonly #random: () => number
  readonly #watched = new Map<string, Watched>()
  #timers: NodeJS.Timeout[] = []
  #confirmations = 0
  /** When half a mesh comes back, all that are not back yet would else be dialled for each that is. */
  readonly #retryAll = new AtMost(RETRY_ALL_MS, () => this.#retryDead())

  constructor(init: DetectorInit) {
    this.#init = init
    this.#now = init.now ?? (() => performance.now())
    this.#random = init.random ?? Math.random
  }

  start(): void {
    this.#timers = [
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => this.#retryDead({ one: true }), DEAD_RETRY_MS)
    ]
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#retryAll.stop()
    for (const peerId of [...this.#watched.keys()]) this.forget(peerId)
  }

  stateOf(peerId: string): MemberState {
    return this.#watched.get(peerId)?.state ?? 'alive'
  }

  /** How long it has given no sign of life, ms; undefined: it is not known here. */
  silentMsOf(peerId: string): number | undefined {
    const member = this.#watched.get(peerId)
    return member && this.#now() - member.heardMs
  }

  /** A member said something new of itself. Of one that is dead it proves nothing yet, it may be older than the silence. */
  said(
    peerId: string,
    { idle, leaving, connected }: { idle: boolean; leaving: boolean; connected: boolean }
  ) {
    const nowMs = this.#now()
    const known = this.#watched.get(peerId)
    const member = known ?? this.#watch(peerId, { idle, connected, state: leaving ? 'left' : 'alive' })
    if (member.idle !== idle) member.changedMs = nowMs
    member.idle = idle
    if (leaving) this.#set(peerId, member, 'left')
    else if (member.state === 'left') this.#set(peerId, member, 'alive')
    else if (member.state === 'dead') void this.#confirm(peerId, member)
    if (leaving) this.#settle(member)
    else if (!member.connected && !member.vouched) member.dueMs = nowMs + SILENCE_MS
    else if (known?.idle && !idle) this.#schedule(member)
  }

  /** A sign of life that only the member itself can have given: an answer, a probe of its own. */
  heard(peerId: string): void {
    const member = this.#watched.get(peerId)
    if (member === undefined || member.state === 'left') return
    this.#settle(member)
    const wasDead = member.state === 'dead'
    member.heardMs = this.#now()
    member.vouched = false
    this.#set(peerId, member, 'alive')
    this.#schedule(member)
    if (wasDead) this.#retryAll.ask() // because who comes back after a partition seldom comes alone
  }

  connected(peerId: string): void {
    const member = this.#watched.get(peerId)
    if (member === undefined) return
    member.connected = true
    member.changedMs = this.#now()
    this.heard(peerId)
  }

  /** The last connection is gone. */
  disconnected(peerId: string): void {
    const member = this.#watched.get(peerId)
    if (member === undefined) return
    member.connected = false
    member.probing?.()
    if (member.state === 'alive') this.#suspect(peerId, member)
  }

  /** Somebody else suspects it, and it did not answer us either: a reason to look, no more. */
  doubt(peerId: string): void {
    const member = this.#watched.get(peerId)
    if (member?.state === 'alive') member.dueMs = this.#now()
  }

  forget(peerId: string): void {
    const member = this.#watched.get(peerId)
    if (member !== undefined) this.#settle(member)
    this.#watched.delete(peerId)
  }

  #watch(peerId: string, { idle, connected, state }: Pick<Watched, 'idle' | 'connected' | 'state'>): Watched {
    const nowMs = this.#now()
    const times = { dueMs: nowMs, heardMs: nowMs, changedMs: nowMs }
    const fresh = { state, connected, idle, vouched: false, misses: 0, ...times }
    this.#watched.set(peerId, fresh)
    this.#schedule(fresh)
    return fresh
  }

  #schedule(member: Watched): void {
    const { connected, vouched, idle, changedMs } = member
    const nowMs = this.#now()
    const quiet = idle && nowMs - changedMs >= IDLE_AFTER_MS
    const probed = (quiet ? IDLE_INTERVAL_MS : PROBE_INTERVAL_MS) * (1 - this.#random() * INTERVAL_JITTER)
    member.dueMs = nowMs + (vouched ? VOUCHED_INTERVAL_MS : connected ? probed : SILENCE_MS)
  }

  #set(peerId: string, member: Watched, state: MemberState): void {
    if (member.state === state) return
    member.state = state
    member.changedMs = this.#now()
    this.#init.onState(peerId, state)
  }

  /** What was asked about it needs no answer any more. */
  #settle(member: Watched): void {
    member.misses = 0
    member.probing?.()
    member.confirming?.()
  }

  #tick(): void {
    const nowMs = this.#now()
    const due = [...this.#watched].filter(([, member]) => {
      const { state, dueMs, probing, confirming } = member
      const looked = state === 'alive' || state === 'suspect'
      return looked && dueMs <= nowMs && probing === undefined && confirming === undefined
    })
    let left = PROBES_PER_TICK
    for (const [peerId, member] of due.sort(([, a], [, b]) => a.dueMs - b.dueMs)) {
      if (member.state === 'suspect' || !member.connected) void this.#confirm(peerId, member)
      else if (left-- > 0) this.#probe(peerId, member)
    }
  }

  #probe(peerId: string, member: Watched): void {
    const cancel = fairTimeout(PROBE_TIMEOUT_MS, this.#now, (lateMs) => {
      member.probing = undefined
      // because an answer may wait behind whatever blocked us, a probe that was blocked for long says nothing
      if (lateMs < PROBE_TIMEOUT_MS) member.misses++
      if (member.misses < MISSES_UNTIL_SUSPECT) this.#probe(peerId, member)
      else if (member.vouched) void this.#confirm(peerId, member)
      else this.#suspect(peerId, member)
    })
    member.probing = () => {
      cancel()
      member.probing = undefined
    }
    this.#init.probe(peerId)
  }

  #suspect(peerId: string, member: Watched): void {
    this.#set(peerId, member, 'suspect')
    member.vouched = false
    member.dueMs = this.#now() // so that it is not forgotten when too many are being confirmed
    void this.#confirm(peerId, member)
  }

  async #confirm(peerId: string, member: Watched): Promise<void> {
    if (member.confirming !== undefined || this.#confirmations >= MAX_CONFIRMATIONS) return
    const controller = new AbortController()
    let blocked = false
    const cancel = fairTimeout(CONFIRM_TIMEOUT_MS, this.#now, (lateMs) => {
      blocked = lateMs >= CONFIRM_TIMEOUT_MS
      controller.abort()
    })
    const end = () => {
      cancel()
      controller.abort()
      if (member.confirming === end) member.confirming = undefined
    }
    member.confirming = end
    this.#confirmations++
    const sign = await this.#init.confirm(peerId, controller).finally(() => this.#confirmations--)
    if (member.confirming !== end) return // because it gave a sign of life meanwhile, or is of no interest any more
    end()
    if (sign === 'direct') this.heard(peerId)
    else if (sign === 'vouched') this.#vouched(peerId, member)
    else if (blocked) member.dueMs = this.#now()
    else if (member.state === 'alive') this.#suspect(peerId, member)
    else if (member.state === 'suspect') this.#set(peerId, member, 'dead')
  }

  #vouched(peerId: string, member: Watched): void {
    member.misses = 0
    member.vouched = true
    this.#set(peerId, member, 'alive')
    this.#schedule(member)
  }

  #retryDead({ one = false } = {}): void {
    const dead = [...this.#watched].filter(([, { state }]) => state === 'dead')
    const from = one ? Math.floor(this.#random() * dead.length) : 0
    for (const [peerId, member] of one ? dead.slice(from, from + 1) : dead) void this.#confirm(peerId, member)
  }
}

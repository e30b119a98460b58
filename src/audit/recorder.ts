import { publicKeyFromPeerId } from '../identity/index.ts'
import { Budget } from '../wire/index.ts'
import type { AuditLog } from './audit-log.ts'
import {
  COUNT_WINDOW_MS,
  DID_BUDGET,
  MAX_GROUPS,
  MAX_STRANGER_GROUPS,
  REFUSED_BUDGET,
  STRANGER_REFUSED_BUDGET
} from './constants.ts'
import { subjectOf } from './subject.ts'
import { Tally } from './tally.ts'
import type { AuditedDeed, AuditedRefusal, AuditedRequest, EntryDraft } from './types.ts'

/** Questions and what is carried for others: counted, because they change nothing and somebody who follows asks all day. */
const COUNTED: ReadonlySet<string> = new Set([
  ...['status', 'logs', 'events', 'members', 'providers', 'audit', 'inspect'],
  'forward',
  // of grants: a question, and what anybody may say, who could otherwise push out what is kept of others
  ...['grants', 'present']
])
/** The asker went away, or the node stops: nothing was refused. */
const NO_REFUSAL: ReadonlySet<string> = new Set(['CANCELLED', 'CONNECTION_LOST'])
/** Nobody's rule: it could not be done just now. Counted, because who looks at all nodes meets each that is away again and again. */
const UNABLE: ReadonlySet<string> = new Set(['NODE_UNREACHABLE', 'BUSY'])
/** Of copies; what comes between these says nothing more. */
const DEEDS: ReadonlySet<string> = new Set([
  ...['accepted', 'started', 'ready', 'restarted', 'failed', 'stopped', 'drained'],
  ...['node-started', 'node-stopped', 'sealing-key-made', 'sealing-key-destroyed'],
  'neighbours-replaced',
  'equivocation'
])

/** What becomes an entry of its own, what is only counted, and what is nobody's business. */
export class AuditRecorder {
  readonly #log: AuditLog
  readonly #now: () => number
  readonly #refused: Budget
  readonly #strangersRefused: Budget
  readonly #did: Budget
  readonly #tally = new Tally(MAX_GROUPS)
  readonly #strangers = new Tally(MAX_STRANGER_GROUPS)
  #timer: NodeJS.Timeout | undefined

  constructor(log: AuditLog, now: () => number = Date.now) {
    this.#log = log
    this.#now = now
    this.#refused = new Budget(REFUSED_BUDGET, now)
    this.#strangersRefused = new Budget(STRANGER_REFUSED_BUDGET, now)
    this.#did = new Budget(DID_BUDGET, now)
  }

  /** A request passed every check of its door. @param payload decoded; only which manifest it names is kept */
  asked(request: AuditedRequest, payload?: unknown): void {
    const draft = { what: 'asked', verified: true, ...this.#who(request), ...subjectOf(payload) } as const
    if (COUNTED.has(request.protocol)) this.#count(this.#tally, draft)
    else this.#log.append(draft)
  }

  /** A request was refused, by its door or by what stands behind it. */
  refused({ code, rule, verified = false, ...request }: AuditedRefusal, payload?: unknown): void {
    if (NO_REFUSAL.has(code)) return
    const why = { code: /^[A-Z][A-Z0-9_]*$/.test(code) ? code : 'INTERNAL', rule, verified }
    const draft = { what: 'refused', ...this.#who(request), ...why, ...subjectOf(payload) } as const
    // all together, because whoever is refused can have as many names as it likes
    const budget = verified ? this.#refused : this.#strangersRefused
    if (!UNABLE.has(code) && budget.take('')) this.#log.append(draft)
    else this.#count(verified ? this.#tally : this.#strangers, draft)
  }

  /** A message between nodes was refused. Counted, and only what no honest node sends: the weather of a network is no news. */
  refusedNode(
    peerId: string | undefined,
    { door, reason, blame }: { door: string; reason: string; blame: string | undefined }
  ): void {
    if (blame !== 'hostile') return
    const what = { what: 'refused', action: door, code: reason.toUpperCase() } as const
    this.#count(this.#strangers, { ...what, transport: peerId, at: this.#now() })
  }

  /** The node did something. Types that tell nothing new are left out. */
  did({ type, manifestId, version }: AuditedDeed): void {
    if (!DEEDS.has(type)) return
    const draft = { what: 'did', action: type, manifestId, version, at: this.#now() } as const
    const about = manifestId === undefined ? '' : Buffer.from(manifestId).toString('hex')
    if (this.#did.take(about)) this.#log.append(draft)
    else this.#count(this.#tally, draft)
  }

  /** What was counted becomes entries. */
  settle(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const tally of [this.#tally, this.#strangers])
      for (const draft of tally.drain()) this.#log.append(draft)
  }

  async close(): Promise<void> {
    this.settle()
    await this.#log.close()
  }

  #who({ protocol, author, transport }: AuditedRequest) {
    return {
      action: protocol,
      author: author === undefined ? undefined : keyOf(author),
      transport,
      at: this.#now()
    }
  }

  #count(tally: Tally, draft: EntryDraft): void {
    tally.add(draft)
    this.#timer ??= setTimeout(() => this.settle(), COUNT_WINDOW_MS)
  }
}

function keyOf(peerId: string): Uint8Array | undefined {
  try {
    return publicKeyFromPeerId(peerId)
  } catch {
    return undefined // because a key that is none has no author, and the refusal still counts
  }
}

import { type AuditFault, contradict, LogCheck, openHead } from '../../audit/index.ts'
import { type Abortable, isoTime, safeText, timeoutSignal } from '../../common/index.ts'
import type { AuditEntry } from '../../generated/fbs/index.ts'
import type { Session } from '../connection/session.ts'
import type { SeenNode } from '../nodes.ts'
import { fetchAudit } from './fetch.ts'
import type { AuditFaultView, AuditVerdict, AuditWitnessView } from './types.ts'

/** Witnesses asked at once. Chosen: as for holdings. */
const CONCURRENCY = 8
/** One witness's answer; the others do not wait longer for it. Chosen. */
const WITNESS_TIMEOUT_MS = 5_000
/** The log grows while others are asked; it is read on so often. Chosen: each time takes what was added meanwhile. */
const MAX_READS = 3

/** What another node holds of the log. */
interface Held {
  readonly node: SeenNode
  readonly heads: readonly Uint8Array[]
  readonly evidence: readonly Uint8Array[]
}

/** Reads a node's log, recomputes it, and holds it against the heads that all others have of it. */
export async function verifyAudit(
  session: Session,
  { node, others }: { node: SeenNode; others: readonly SeenNode[] },
  { signal }: Abortable
): Promise<AuditVerdict> {
  const { networkId } = session.connection
  const log = new LogReader(session, node)
  await log.read({ signal })
  const silent: string[] = []
  const held = await fetchHeads(
    session,
    { node, others, onSilent: ({ name }) => silent.push(name) },
    { signal }
  )
  const isNewer = () => held.some(({ heads }) => heads.some((head) => log.check.compare(head) === 'newer'))
  for (let read = 1; read < MAX_READS && isNewer(); read++) await log.read({ signal })

  const faults: Collected = new Map()
  for (const fault of log.check.faults) collect(faults, fault)
  const witnesses = held.map((one) =>
    judge(one, { check: log.check, networkId, peerId: node.peerId, faults })
  )
  return {
    peerId: node.peerId,
    node: safeText(node.name, 63),
    intact: faults.size === 0,
    entries: log.count,
    first: log.first && toPoint(log.first),
    last: log.last && toPoint(log.last),
    faults: [...faults.values()].sort((a, b) => a.sequence - b.sequence),
    witnesses: witnesses.filter(({ heads }) => heads > 0),
    unanswered: silent.length === 0 ? undefined : silent
  }
}

/** The log of one node, read on where it was left. */
class LogReader {
  readonly check: LogCheck
  readonly #session: Session
  readonly #node: SeenNode
  #begun = false
  count = 0
  first: AuditEntry | undefined
  last: AuditEntry | undefined

  constructor(session: Session, node: SeenNode) {
    this.#session = session
    this.#node = node
    this.check = new LogCheck(node.peerId, { networkId: session.connection.networkId })
  }

  async read({ signal }: Abortable): Promise<void> {
    const from = this.#begun ? this.check.last + 1 : undefined
    for await (const { base, entries, head } of fetchAudit(this.#session, this.#node, { from, signal })) {
      if (!this.#begun && base !== undefined) this.check.begin(base)
      this.#begun = true
      for (const { value } of entries) {
        this.count++
        const entry = this.check.add(value)
        if (entry === undefined) continue
        this.first ??= entry
        this.last = entry
      }
      if (head !== undefined) this.check.end(head)
    }
  }
}

/** By what is wrong, so that one fault that several witnesses show is told once. */
type Collected = Map<string, AuditFaultView & { readonly witnesses: string[] }>

function collect(faults: Collected, fault: AuditFault, witness?: string): void {
  const key = `${fault.sequence} ${fault.reason}`
  const known = faults.get(key) ?? { ...fault, witnesses: [] }
  faults.set(key, known)
  if (witness !== undefined && !known.witnesses.includes(witness)) known.witnesses.push(witness)
}

function judge(
  { node, heads, evidence }: Held,
  {
    check,
    networkId,
    peerId,
    faults
  }: { check: LogCheck; networkId: Uint8Array; peerId: string; faults: Collected }
): AuditWitnessView {
  const name = safeText(node.name, 63)
  const view = { peerId: node.peerId, node: name, heads: 0, agree: 0, older: 0 }
  for (const bytes of heads) {
    const verdict = check.compare(bytes)
    if (verdict === undefined) continue
    view.heads++
    if (verdict === 'agrees') view.agree++
    else if (verdict === 'older') view.older++
    else collect(faults, verdict === 'newer' ? shortened(bytes, { check, networkId }) : verdict, name)
  }
  for (let index = 0; index + 1 < evidence.length; index += 2) {
    const fault = proven(evidence.slice(index, index + 2), { networkId, peerId })
    if (fault !== undefined) collect(faults, fault, name)
  }
  return view
}

/** Still beyond the end after the log was read again. */
function shortened(
  bytes: Uint8Array,
  { check, networkId }: { check: LogCheck; networkId: Uint8Array }
): AuditFault {
  const { length } = openHead(bytes, { networkId })
  const message = `the node signed a log of ${length} entries, and shows ${check.last}`
  return { sequence: check.last, reason: 'shortened', message }
}

/** Two heads of the node that cannot both be true, whatever its log says now. */
function proven(
  pair: readonly Uint8Array[],
  { networkId, peerId }: { networkId: Uint8Array; peerId: string }
): AuditFault | undefined {
  try {
    const [one, other] = pair.map((bytes) => openHead(bytes, { networkId }))
    if (one?.peerId !== peerId || other?.peerId !== peerId || !contradict(one, other)) return undefined
    const { sequence } = one.sequence < other.sequence ? one : other
    const message = `the node signed two logs that are not one: entry ${one.sequence} of ${one.length}, then entry ${other.sequence} of ${other.length}`
    return { sequence, reason: 'contradicted', message }
  } catch {
    return undefined // because what does not verify was not said
  }
}

async function fetchHeads(
  session: Session,
  {
    node,
    others,
    onSilent
  }: { node: SeenNode; others: readonly SeenNode[]; onSilent: (node: SeenNode) => void },
  { signal }: Abortable
): Promise<Held[]> {
  const waiting = [...others]
  const held: Held[] = []
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const timeout = timeoutSignal(WITNESS_TIMEOUT_MS)
      const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
      try {
        const heads: Uint8Array[] = []
        const evidence: Uint8Array[] = []
        for await (const list of fetchAudit(session, next, { headsOf: node.publicKey, signal: limit })) {
          heads.push(...list.heads.map(({ value }) => value))
          evidence.push(...list.evidence.map(({ value }) => value))
        }
        held.push({ node: next, heads, evidence })
      } catch {
        signal?.throwIfAborted()
        onSilent(next)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, others.length) }, worker))
  return held.sort((a, b) => a.node.name.localeCompare(b.node.name))
}

function toPoint({ sequence, at }: AuditEntry): { sequence: number; timestamp: string } {
  return { sequence, timestamp: isoTime(at) }
}

import { randomInt } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { concat, repeat, u64be } from '../../common/index.ts'
import { AUDIT_WITNESS } from '../../envelope/index.ts'
import { encodeAuditWitness } from '../../generated/fbs/index.ts'
import { PEER_PROTOCOLS, type PeerWire } from '../../wire/index.ts'
import type { AuditLog } from '../audit-log.ts'
import { HEAD_ENTRIES, HEAD_INTERVAL_MS, MAX_CHECKS, WITNESS_INTERVAL_MS, WITNESSES } from '../constants.ts'
import { type Head, openHead } from '../head.ts'
import type { WitnessBook } from './book.ts'

export interface WitnessExchangeInit {
  readonly log: AuditLog
  readonly book: WitnessBook
  readonly wire: PeerWire
  readonly networkId: Uint8Array
  /** Members that are connected. */
  readonly neighbours: () => readonly PeerId[]
  readonly isMember: (peerId: string) => boolean
  /** Called once for each place at which a node contradicts itself. */
  readonly onContradiction: (one: Head, other: Head) => void
  readonly onError: (error: unknown) => void
  /** @default {@link HEAD_INTERVAL_MS} */
  readonly headIntervalMs?: number
  /** @default {@link WITNESS_INTERVAL_MS} */
  readonly intervalMs?: number
}

const ANSWER = { type: 'witness', root: AUDIT_WITNESS } as const
const SEQUENCE_BYTES = 8

/** Shows this node's heads to others, keeps theirs, and asks them now and then to sign again what they signed once. */
export class WitnessExchange {
  readonly #init: WitnessExchangeInit
  #stop = new AbortController()
  #shown = 0
  #timer: NodeJS.Timeout | undefined

  constructor(init: WitnessExchangeInit) {
    this.#init = init
    this.#stop.abort() // nothing is shown before the start
    init.log.onWritten(({ sequence }) => this.#grew(sequence))
  }

  async start(): Promise<void> {
    this.#stop = new AbortController()
    const { wire, isMember, intervalMs = WITNESS_INTERVAL_MS } = this.#init
    await wire.handle(PEER_PROTOCOLS.witness, AUDIT_WITNESS, 'witness', async ({ head, check }, from) => {
      if (isMember(from)) this.#take([head], from)
      return this.#message({ past: decodeSequences(check) })
    })
    void repeat(intervalMs, () => this.#round(), { signal: this.#stop.signal, onError: () => {} })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#init.wire.unhandle(PEER_PROTOCOLS.witness)
  }

  /** Exchanges heads with a node. Never rejects: the next round mends what this one missed. */
  async withPeer(peer: PeerId): Promise<void> {
    const { wire, book, onError } = this.#init
    const id = peer.toString()
    try {
      const check = some(book.of(id).heads, MAX_CHECKS).map(({ sequence }) => sequence)
      const signal = this.#stop.signal
      const { head, past } = await wire.ask(
        peer,
        PEER_PROTOCOLS.witness,
        await this.#message({ check }),
        ANSWER,
        { signal }
      )
      this.#take([...past.map(({ value }) => value), head], id)
    } catch (error) {
      onError(error)
    }
  }

  /** Never rejects. */
  async #round(): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#shown = this.#init.log.state.sequence
    try {
      await Promise.all(some(this.#init.neighbours(), WITNESSES).map((peer) => this.withPeer(peer)))
    } catch (error) {
      this.#init.onError(error) // because who is there cannot be said while the node's own statement is out of date
    }
  }

  /** @param past entries whose heads are answered @param check entries whose heads are asked for */
  async #message({
    past = [],
    check
  }: {
    past?: readonly number[]
    check?: readonly number[]
  }): Promise<Uint8Array> {
    const { log } = this.#init
    const heads = await Promise.all(past.map((sequence) => log.headAt(sequence)))
    return encodeAuditWitness({
      head: (await log.headAt())!,
      past: heads.filter((head) => head !== undefined).map((value) => ({ value })),
      check: check && concat(...check.map((sequence) => u64be(sequence)))
    })
  }

  /** Only a node's own word of itself is taken. @throws EnvelopeError */
  #take(heads: readonly Uint8Array[], from: string): void {
    const { networkId, book, onContradiction } = this.#init
    for (const bytes of heads) {
      const head = openHead(bytes, { networkId })
      if (head.peerId !== from) continue
      const other = book.take(head)
      if (other !== undefined) onContradiction(other, head)
    }
  }

  #grew(sequence: number): void {
    if (this.#stop.signal.aborted) return
    if (sequence - this.#shown >= HEAD_ENTRIES) void this.#round()
    else
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        void this.#round()
      }, this.#init.headIntervalMs ?? HEAD_INTERVAL_MS)
  }
}

function decodeSequences(bytes: Uint8Array | undefined): number[] {
  const whole = Buffer.from(bytes ?? [])
  const count = Math.floor(whole.byteLength / SEQUENCE_BYTES)
  return Array.from({ length: count }, (_, index) => Number(whole.readBigUInt64BE(index * SEQUENCE_BYTES)))
}

/** At most so many of them, by lot. */
function some<T>(all: readonly T[], most: number): T[] {
  const rest = [...all]
  const chosen: T[] = []
  while (chosen.length < most && rest.length > 0) chosen.push(...rest.splice(randomInt(rest.length), 1))
  return chosen
}

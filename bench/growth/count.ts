import type { Libp2pOptions } from 'libp2p'

type Metrics = ReturnType<NonNullable<Libp2pOptions['metrics']>>
type Stream = Parameters<Metrics['trackProtocolStream']>[0]
type Sent = Parameters<Stream['send']>[0]

/** What is counted apart, so that it can be seen which part grows. An answer counts once, as what it answers. */
export const KINDS = ['findNode', 'addProvider', 'getProviders', 'ask', 'lease', 'gossip', 'hint'] as const
export type Kind = (typeof KINDS)[number]
export type Counts = Record<Kind, number>

/** Types of a kad-dht message, the first field of it. Source: kad-dht 16, message/dht.proto. */
const KAD_TYPES: Readonly<Record<number, Kind>> = { 2: 'addProvider', 3: 'getProviders', 4: 'findNode' }

/** Their answers do not repeat what was asked for, so they are counted where they arrive. */
const NAMELESS_ANSWERS: readonly Kind[] = ['findNode', 'lease']

export function noCounts(): Counts {
  return Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Counts
}

/**
 * Counts what all nodes send about one manifest: a message counts when the manifest's digest, or the ID of a gossip message about it,
 * stands in its bytes. Heartbeats, probes and the DHT's own queries name other keys, so nothing has to be subtracted for them. Opening
 * a stream or a connection is not counted, only what is said over it.
 *
 * It takes the place of libp2p's metrics, because those are handed every stream of both sides before anybody writes to it.
 */
export class MessageCount {
  readonly #watched = new Map<string, { readonly marks: Buffer[]; readonly counts: Counts }>()

  /** From now on. @param digest of the manifest ID, Uint8Array(32) */
  watch(digest: Uint8Array): Counts {
    const counts = noCounts()
    this.#watched.set(Buffer.from(digest).toString('hex'), { marks: [Buffer.from(digest)], counts })
    return counts
  }

  unwatch(digest: Uint8Array): void {
    this.#watched.delete(Buffer.from(digest).toString('hex'))
  }

  /** A gossip message was seen: those that only name its ID belong to the same manifest. */
  onGossip(messageId: Uint8Array, data: Uint8Array): void {
    for (const { marks } of this.#watched.values()) {
      const id = Buffer.from(messageId)
      if (Buffer.from(data).includes(marks[0]!) && !marks.some((mark) => mark.equals(id))) marks.push(id)
    }
  }

  /** For `createLibp2p({ metrics })`, one for all nodes. */
  metrics(): Metrics {
    const nothing = {
      update() {},
      increment() {},
      decrement() {},
      reset() {},
      observe() {},
      timer: () => () => {}
    }
    const register = () => nothing
    return {
      trackMultiaddrConnection() {},
      trackProtocolStream: (stream: Stream) => this.#track(stream),
      registerMetric: register,
      registerMetricGroup: register,
      registerCounter: register,
      registerCounterGroup: register,
      registerHistogram: register,
      registerHistogramGroup: register,
      registerSummary: register,
      registerSummaryGroup: register,
      traceFunction: (_name: string, fn: unknown) => fn,
      createTrace() {}
    } as unknown as Metrics
  }

  #track(stream: Stream): void {
    const { protocol, direction } = stream
    const send = stream.send.bind(stream)
    stream.send = (data: Sent) => {
      const goesOn = send(data) // first, because what cannot be sent any more does not count
      for (const { marks, counts } of this.#watched.values()) {
        const kind = kindOf(protocol, data, marks)
        if (kind === undefined) continue
        counts[kind]++
        // now and not before, because the first listener takes what has arrived, and the asker's own must be that
        if (direction === 'outbound' && NAMELESS_ANSWERS.includes(kind))
          stream.addEventListener('message', () => counts[kind]++, { once: true })
      }
      return goesOn
    }
  }
}

function kindOf(protocol: string, data: Sent, [digest, ...messageIds]: readonly Buffer[]): Kind | undefined {
  const bytes = Buffer.from(data.subarray())
  const names = bytes.includes(digest!)
  if (protocol.includes('/meshsub/')) {
    if (names) return 'gossip'
    return messageIds.some((id) => bytes.includes(id)) ? 'hint' : undefined
  }
  if (!names) return undefined
  if (protocol.includes('/kad/')) return KAD_TYPES[bytes[bytes.findIndex((byte) => byte < 0x80) + 2]!]
  if (protocol.includes('/lookup/')) return 'ask'
  return protocol.includes('/lease/') ? 'lease' : undefined
}

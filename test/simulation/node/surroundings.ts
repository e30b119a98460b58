import type { PeerId } from '@libp2p/interface'
import { TypedEventEmitter } from 'main-event'
import type { MemberState } from '../../../src/generated/fbs/index.ts'
import type { MembersEvents, MembersService, MemberView } from '../../../src/members/index.ts'
import type { ProvidersComponents } from '../../../src/providers/types.ts'
import type { Gossip, GossipJudge } from '../../../src/wire/index.ts'
import { DHT_PROTOCOL, SimulatedDht } from '../network/dht.ts'
import type { End, SimulatedWire } from '../network/wire.ts'

export interface SurroundingsInit {
  readonly self: PeerId
  readonly end: End
  readonly wire: SimulatedWire
  /** Provider records that its machine keeps. */
  readonly records: Set<string>
  readonly list: () => readonly MemberView[]
  readonly get: (peerId: string) => MemberView | undefined
  /** The same part of another node, and where it stands. */
  readonly of: (
    peerId: string
  ) => { readonly at: number; readonly id: PeerId; readonly surroundings: () => Surroundings } | undefined
}

/** What a node's services see of the others and of libp2p. Modelled: who is there is the topology's word, gossip is one hop, the DHT knows no routes. */
export class Surroundings extends TypedEventEmitter<MembersEvents> implements Gossip {
  readonly topicValidators = new Map<string, GossipJudge>()
  readonly #events = new EventTarget()
  readonly #init: SurroundingsInit
  readonly #dht: SimulatedDht

  constructor(init: SurroundingsInit) {
    super()
    this.#init = init
    const { self, end, wire, records, of } = init
    this.#dht = new SimulatedDht({
      self,
      end,
      wire,
      records,
      connected: () => this.#connected(),
      of: (peer) => {
        const other = of(peer.toString())
        return other && { at: other.at, dht: () => other.surroundings().#dht }
      }
    })
  }

  /** The members service, as far as others use it. */
  get members(): MembersService {
    return this as unknown as MembersService
  }

  list(): readonly MemberView[] {
    return this.#init.list()
  }

  get(peerId: string): MemberView | undefined {
    return this.#init.get(peerId)
  }

  self(): MemberView {
    return this.get(this.#init.self.toString())!
  }

  refresh(): void {}

  /** Another node is not what it was for this one. */
  change(state: MemberState, peerId: string): void {
    this.safeDispatchEvent(`member:${state}`, { detail: { peerId } })
  }

  onLink(peerId: string, isConnected: boolean): void {
    const { id: detail } = this.#init.of(peerId)!
    const type = isConnected ? 'peer:connect' : 'peer:disconnect'
    this.#events.dispatchEvent(new CustomEvent(type, { detail }))
    const identified = { detail: { peerId: detail, protocols: [DHT_PROTOCOL] } }
    if (isConnected) this.#events.dispatchEvent(new CustomEvent('peer:identify', identified))
  }

  /** What libp2p hands to services. */
  components(logger: ProvidersComponents['logger']): ProvidersComponents {
    const known = {
      logger,
      events: this.#events,
      pubsub: this,
      registrar: {},
      connectionManager: {
        getConnectionsMap: () => new Map(this.#connected().map((peer) => [peer, []])),
        getConnections: (peer?: PeerId) =>
          (peer === undefined ? this.#connected() : [peer])
            .filter((one) => isConnected(this.get(one.toString())))
            .map((remotePeer) => ({ remotePeer, rtt: 1 }))
      },
      addressManager: { getAddresses: () => [`/memory/${this.#init.end.at}`] },
      ...this.#dht.components
    }
    return known as unknown as ProvidersComponents
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    const { wire, end, of, self } = this.#init
    for (const peer of this.#connected()) {
      const other = of(peer.toString())!
      wire.tell(end, other.at, () => other.surroundings().#hear(topic, data, self))
    }
  }

  subscribe(): void {}

  unsubscribe(): void {}

  #hear(topic: string, data: Uint8Array, from: PeerId): void {
    this.topicValidators.get(topic)?.(from, { data, from })
  }

  #connected(): PeerId[] {
    return this.list().flatMap((one) => (isConnected(one) ? [this.#init.of(one.peerId)!.id] : []))
  }
}

function isConnected(one: MemberView | undefined): boolean {
  return one !== undefined && !one.self && one.connected
}

import type { Libp2pEvents, PeerId, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { timeoutSignal } from '../../common/index.ts'
import type { MemberState } from '../../generated/fbs/index.ts'
import { type Network, networkTag, type SigningKey } from '../../identity/index.ts'
import { MembersError } from '../errors.ts'
import type { NodeView } from '../types.ts'
import { PROBE_TIMEOUT_MS } from './constants.ts'
import { Detector } from './detector.ts'
import { ProbeWire } from './probe-wire.ts'
import { Reach, type ReachInit } from './reach.ts'

export interface LivenessInit {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly key: SigningKey
  readonly network: Network
  readonly isKnown: ReachInit['isKnown']
  readonly dial: ReachInit['dial']
  readonly onState: (peerId: string, state: MemberState) => void
}

/** The detector on libp2p: connections and streams in, states out. */
export class Liveness {
  readonly #init: LivenessInit
  readonly #wire: ProbeWire
  #detector: Detector
  readonly #reach: Reach
  readonly #onConnect = ({ detail }: { detail: PeerId }) => this.#detector.connected(detail.toString())
  readonly #onDisconnect = ({ detail }: { detail: PeerId }) => {
    this.#wire.forget(detail.toString())
    this.#detector.disconnected(detail.toString())
  }

  constructor(init: LivenessInit) {
    const { registrar, connectionManager, key, network, isKnown, dial } = init
    this.#init = init
    this.#detector = this.#newDetector()
    this.#reach = new Reach({
      key,
      networkId: network.id,
      wire: () => this.#wire,
      isKnown,
      isConnected: (peerId) => this.#isConnected(peerId),
      dial,
      helpers: (target) => this.#helpers(target),
      onUnreached: (peerId) => this.#detector.doubt(peerId)
    })
    this.#wire = new ProbeWire({
      registrar,
      connectionManager,
      networkTag: networkTag(network),
      onHeard: (peerId) => this.#detector.heard(peerId),
      prove: (probe, from) => this.#reach.prove(probe, from)
    })
  }

  async start(): Promise<void> {
    await this.#wire.start()
    this.#init.events.addEventListener('peer:connect', this.#onConnect)
    this.#init.events.addEventListener('peer:disconnect', this.#onDisconnect)
    this.#detector.start()
  }

  /** Looks at nobody any more; still answers, until {@link stop}. */
  rest(): void {
    this.#init.events.removeEventListener('peer:connect', this.#onConnect)
    this.#init.events.removeEventListener('peer:disconnect', this.#onDisconnect)
    this.#detector.stop()
    this.#detector = this.#newDetector()
  }

  async stop(): Promise<void> {
    this.rest()
    await this.#wire.stop()
  }

  stateOf(peerId: string): MemberState {
    return this.#detector.stateOf(peerId)
  }

  silentMsOf(peerId: string): number | undefined {
    return this.#detector.silentMsOf(peerId)
  }

  said({ peerId, idle, leaving }: NodeView): void {
    this.#detector.said(peerId, { idle, leaving, connected: this.#isConnected(peerId) })
  }

  /** A dial of ours failed, so the ways through others are tried. */
  doubt(peerId: string): void {
    this.#detector.doubt(peerId)
  }

  forget(peerId: string): void {
    this.#detector.forget(peerId)
  }

  #newDetector(): Detector {
    return new Detector({
      // whether it answers in time is the detector's business; what comes later is heard all the same
      probe: (peerId) => {
        this.#wire.ask(peerId, {}, { signal: timeoutSignal(PROBE_TIMEOUT_MS) }).catch(() => {})
      },
      confirm: (peerId, options) => this.#reach.confirm(peerId, options),
      onState: (peerId, state) => this.#onState(peerId, state)
    })
  }

  #onState(peerId: string, state: MemberState): void {
    if (state === 'dead')
      for (const connection of this.#init.connectionManager.getConnections(peerIdFromString(peerId)))
        connection.abort(new MembersError('MEMBER_DEAD', `${peerId} does not answer`))
    this.#init.onState(peerId, state)
  }

  #isConnected(peerId: string): boolean {
    return this.#init.connectionManager.getConnections(peerIdFromString(peerId)).length > 0
  }

  #helpers(target: string): string[] {
    return [...this.#init.connectionManager.getConnectionsMap().keys()]
      .map(String)
      .filter((one) => one !== target && this.#init.isKnown(one) && this.stateOf(one) === 'alive')
  }
}

import type { ComponentLogger, Metrics, PeerId, Startable } from '@libp2p/interface'
import { serviceCapabilities } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { AUDIT_REQUEST } from '../envelope/index.ts'
import type { Network, SigningKey } from '../identity/index.ts'
import type { Store } from '../store/index.ts'
import { type Conduct, type Doors, PeerWire } from '../wire/index.ts'
import { answerOwner } from './answer-owner.ts'
import type { AuditLog } from './audit-log.ts'
import type { AuditRecorder } from './recorder.ts'
import { type Testimony, WitnessBook } from './witness/book.ts'
import { WitnessExchange } from './witness/exchange.ts'

interface Neighbour {
  readonly peerId: string
  readonly connected: boolean
  readonly self: boolean
}

export interface AuditInit {
  readonly network: Network
  readonly key: SigningKey
  readonly store: Store
  readonly log: AuditLog
  readonly recorder: AuditRecorder
  readonly doors: Doors
  readonly conduct?: Conduct
  /** Members as this node knows them, itself too. */
  readonly neighbours: () => readonly Neighbour[]
  readonly isMember: (peerId: string) => boolean
  /** How soon new entries are shown to others, ms. @default HEAD_INTERVAL_MS */
  readonly headIntervalMs?: number
  /** How often heads are exchanged anyway, ms. @default WITNESS_INTERVAL_MS */
  readonly intervalMs?: number
}

export interface AuditComponents {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
  readonly logger: ComponentLogger
  readonly metrics?: Metrics
}

export interface AuditService extends Startable {
  /** What this node holds of another's log. */
  witnessed(peerId: string): Testimony
}

/** Lifecycle and wiring: the log is opened and closed by whoever made it, because doors write to it before and after. */
export class Audit implements AuditService {
  readonly [Symbol.toStringTag] = '@beemesh/audit'
  readonly [serviceCapabilities]: string[] = ['@beemesh/audit']
  readonly #recorder: AuditRecorder
  readonly #book: WitnessBook
  readonly #exchange: WitnessExchange

  constructor(components: AuditComponents, init: AuditInit) {
    const { registrar, connectionManager } = components
    const { network, key, conduct, log } = init
    const logger = components.logger.forComponent('beemesh:audit')
    const contradictions = components.metrics?.registerCounter('beemesh_audit_contradictions_total', {
      help: 'Places at which another node signed two things of its audit log that cannot both be true'
    })
    this.#recorder = init.recorder
    this.#book = new WitnessBook(init.store)
    this.#exchange = new WitnessExchange({
      log,
      book: this.#book,
      wire: new PeerWire({ registrar, connectionManager, key, network, conduct }),
      networkId: network.id,
      neighbours: () => init.neighbours().filter(isOther).map(toPeerId),
      isMember: init.isMember,
      headIntervalMs: init.headIntervalMs,
      intervalMs: init.intervalMs,
      onContradiction: (one, other) => {
        contradictions?.increment()
        logger.error(
          'the audit log of %s was rewritten: it signed entry %d of %d, and then entry %d of %d of another log',
          ...[one.peerId, one.sequence, one.length, other.sequence, other.length]
        )
      },
      onError: (error) => logger('heads not exchanged: %e', error)
    })
    init.doors.open('audit', AUDIT_REQUEST, (request) => answerOwner({ log, book: this.#book }, request))
  }

  async start(): Promise<void> {
    await this.#book.open()
    await this.#exchange.start()
    this.#recorder.did({ type: 'node-started' })
  }

  async stop(): Promise<void> {
    this.#recorder.settle()
    this.#recorder.did({ type: 'node-stopped' })
    await this.#exchange.stop()
    await this.#book.idle()
  }

  witnessed(peerId: string): Testimony {
    return this.#book.of(peerId)
  }
}

/** For `createLibp2p({ services: { audit: audit(init) } })`. */
export function audit(init: AuditInit): (components: AuditComponents) => AuditService {
  return (components) => new Audit(components, init)
}

function isOther({ connected, self }: Neighbour): boolean {
  return connected && !self
}

function toPeerId({ peerId }: Neighbour): PeerId {
  return peerIdFromString(peerId)
}

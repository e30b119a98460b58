import type { Logger, PeerId } from '@libp2p/interface'
import type { AuditRecorder } from '../../../src/audit/index.ts'
import { decode } from '../../../src/envelope/index.ts'
import { RELEASE_REQUEST, RELEASED, type ReleaseRequest } from '../../../src/generated/fbs/index.ts'
import type { MemberView } from '../../../src/members/index.ts'
import { connectServices, isGone } from '../../../src/node/connect-services.ts'
import { Providers } from '../../../src/providers/providers.ts'
import { EngineRegistry, type Guard } from '../../../src/runtime/index.ts'
import type { Parts } from '../../../src/scheduler/parts.ts'
import { Scheduler, type SchedulerComponents } from '../../../src/scheduler/scheduler.ts'
import { ownersOnly } from '../../../src/trust/index.ts'
import { Conduct, type Doors } from '../../../src/wire/index.ts'
import { Workloads } from '../../../src/workloads/workloads.ts'
import { quietLogger } from '../../fixtures/quiet-logger.ts'
import type { Opinion } from '../network/sight.ts'
import type { SimulatedWire } from '../network/wire.ts'
import type { Host, VirtualClock } from '../time/clock.ts'
import type { Disk } from './disk.ts'
import type { Containers } from './engine.ts'
import type { SimulatedGuard } from './guard.ts'
import { NETWORK, type NodeKeys } from './keys.ts'
import { SimulatedPeerWire } from './peer-wire.ts'
import { Surroundings } from './surroundings.ts'

export interface DaemonInit {
  readonly at: number
  readonly name: string
  readonly host: Host
  readonly keys: NodeKeys
  readonly clock: VirtualClock
  readonly wire: SimulatedWire
  readonly disk: Disk
  readonly containers: Containers
  readonly guard: SimulatedGuard
  /** Provider records that its machine keeps. */
  readonly records: Set<string>
  readonly bootClock: () => number
  readonly bootId: Uint8Array
  readonly owner: string
  /** All members it has heard of, itself included. */
  readonly members: () => readonly MemberView[]
  readonly member: (peerId: string) => MemberView | undefined
  readonly of: (
    peerId: string
  ) => { readonly at: number; readonly keys: NodeKeys; readonly daemon: () => Daemon } | undefined
  /** A key or share was given to somebody. */
  readonly onReleased: (daemon: Daemon, request: ReleaseRequest, to: string) => void
  /** Copies are about to be started: keepers are being told. */
  readonly onBegins: (daemon: Daemon, manifestId: Uint8Array, ordinals: readonly number[]) => void
  /** It has had enough of another node, as no honest one may of another. */
  readonly onSentAway: (daemon: Daemon, peerId: string) => void
  readonly hasOthers: boolean
  /** Lines of a node's own log, for whoever looks into a failing run. */
  readonly log: (line: string) => void
}

type Handler = (request: unknown) => Promise<void>

/** One run of a node's process: the real providers, workloads and scheduler services over what is simulated. */
export class Daemon {
  readonly at: number
  readonly host: Host
  readonly startedAtMs: number
  readonly providers: Providers
  readonly workloads: Workloads
  readonly scheduler: Scheduler
  readonly doors = new Map<string, Handler>()
  readonly #peerWire: SimulatedPeerWire
  readonly #surroundings: Surroundings

  constructor(init: DaemonInit) {
    const { at, name: nodeName, host, keys, clock, wire, owner, bootId, of, onBegins } = init
    const { key, sealingKey } = keys
    const network = NETWORK
    this.at = at
    this.host = host
    this.startedAtMs = clock.nowMs
    const end = { at, host }
    const now = () => clock.wallMs(host)
    const store = init.disk.openFor(host)
    const trust = () => ownersOnly(new Set([owner]))
    const log = loggerTo(init.log)
    const doors = {
      open: (door: string, _root: unknown, handler: Handler) => this.doors.set(door, handler)
    } as unknown as Doors
    const disconnect = async (peer: PeerId) => init.onSentAway(this, peer.toString())
    const conduct = new Conduct({ now, host: { disconnect } })
    const peerWire = new SimulatedPeerWire({
      self: key.peerId,
      end,
      wire,
      of: (peerId) => of(peerId) && { at: of(peerId)!.at, peerWire: () => of(peerId)!.daemon().#peerWire },
      onAnswered: (protocol, request, answer, to) => {
        if (protocol === 'release' && decode(RELEASED, answer).code === undefined)
          init.onReleased(this, decode(RELEASE_REQUEST, request), to)
      }
    })
    this.#peerWire = peerWire
    this.#surroundings = new Surroundings({
      self: keys.peerId,
      end,
      wire,
      records: init.records,
      list: init.members,
      get: init.member,
      of: (peerId) =>
        of(peerId) && {
          at: of(peerId)!.at,
          id: of(peerId)!.keys.peerId,
          surroundings: () => of(peerId)!.daemon().#surroundings
        }
    })
    const { members } = this.#surroundings
    const components = this.#surroundings.components({ forComponent: () => log })
    const shared = { network, key, nodeName, doors, conduct, wire: peerWire, now }
    let isMember = (_peerId: string): boolean => false
    this.providers = new Providers(components, {
      ...shared,
      bootId,
      gossip: true,
      isMember: (peerId) => isMember(peerId),
      isGone: (peerId) => isGone(members, peerId)
    })
    const engines = new EngineRegistry({ now })
    engines.register(init.containers.engineFor(host))
    this.workloads = new Workloads(
      { logger: components.logger, providers: this.providers },
      {
        network,
        key,
        nodeName,
        store,
        sealingKey: { of: () => sealingKey, stored: { of: () => sealingKey } },
        engines,
        preferredEngine: 'mock',
        publishAddress: '127.0.0.1',
        doors,
        trust,
        keep: (bundle, options) => this.scheduler.keep(bundle, options),
        guard: init.guard as unknown as Guard,
        fencing: () => this.scheduler,
        keptOf: (manifestId, author) => this.scheduler.inspectKept(manifestId, author),
        keptFor: () => this.scheduler,
        mayResume: (stored, options) => this.scheduler.mayResume(stored, options),
        storagePath: '/',
        capacity: { machine: { cpuMillis: 8_000, memoryBytes: 16 * 2 ** 30 } },
        now
      }
    )
    const { providers, workloads } = this
    this.scheduler = new Scheduler({ ...components, members, providers, workloads } as SchedulerComponents, {
      ...shared,
      store,
      trust,
      sealingKey: () => sealingKey,
      isMember: (peerId) => isMember(peerId),
      hasOthers: () => init.hasOthers,
      onBegins: (manifestId, ordinals) => onBegins(this, manifestId, ordinals),
      bootClock: init.bootClock
    })
    isMember = connectServices(
      { members, providers, workloads, guests: { isRevoked: () => false } },
      {
        recorder: { did: () => {} } as unknown as AuditRecorder,
        log: { warn: () => {} },
        isIdle: () => false
      }
    )
  }

  get parts(): Parts {
    return this.scheduler.parts
  }

  /** As libp2p does it; resolves when it answers. */
  async start(): Promise<void> {
    await Promise.all([this.providers.start(), this.workloads.start(), this.scheduler.start()])
    this.providers.afterStart()
  }

  /** In order, with a word to the others. */
  async stop(): Promise<void> {
    await this.providers.beforeStop()
    await Promise.all([this.providers.stop(), this.workloads.stop(), this.scheduler.stop()])
  }

  /** What this node thinks of another one changed. */
  onOpinion(peerId: string, before: Opinion, now: Opinion | undefined): void {
    if (now === before || now === undefined || now === 'unknown') return
    // of whom it hears for the first time it says nothing
    if (now !== 'alive' || before !== 'unknown') this.#surroundings.change(now, peerId)
  }

  onLink(peerId: string, isConnected: boolean): void {
    this.#surroundings.onLink(peerId, isConnected)
  }
}

function loggerTo(hear: (line: string) => void): Logger {
  const say = (format: string, ...values: unknown[]) => hear([format, ...values.map(shown)].join(' | '))
  return Object.assign(say, { error: say, trace: () => {}, enabled: true, newScope: () => quietLogger })
}

function shown(value: unknown): string {
  return value instanceof Error ? `${value.name} ${value.message}` : String(value)
}

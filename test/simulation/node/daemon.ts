import { delay, repeat } from '../../../src/common/index.ts'
import type { FenceRequest, HeldVersionInit, ReleaseRequest } from '../../../src/generated/fbs/index.ts'
import type { ProvidersService } from '../../../src/providers/index.ts'
import { EngineRegistry, type Guard } from '../../../src/runtime/index.ts'
import { FENCE_RETRY_MS, LOOK_INTERVAL_MS } from '../../../src/scheduler/constants.ts'
import { FenceKeeping } from '../../../src/scheduler/fencing/fence-keeping.ts'
import { Fencing } from '../../../src/scheduler/fencing/fencing.ts'
import { Accepting } from '../../../src/scheduler/healing/accept-assign.ts'
import { Healer } from '../../../src/scheduler/healing/healer.ts'
import { mayResume } from '../../../src/scheduler/healing/resume.ts'
import { checkRecord } from '../../../src/scheduler/keeping/check-record.ts'
import { inspectKept } from '../../../src/scheduler/keeping/inspect-kept.ts'
import { Keeping } from '../../../src/scheduler/keeping/keeping.ts'
import { KeptTable } from '../../../src/scheduler/keeping/kept-table.ts'
import { Releasing } from '../../../src/scheduler/keys/release-key.ts'
import type { CheckedRecord, Neighbour, World } from '../../../src/scheduler/types.ts'
import { ownersOnly } from '../../../src/trust/index.ts'
import type { Doors } from '../../../src/wire/index.ts'
import type { KeptView } from '../../../src/workloads/index.ts'
import { Workloads } from '../../../src/workloads/workloads.ts'
import { quietLogger } from '../../fixtures/quiet-logger.ts'
import type { SimulatedWire } from '../network/wire.ts'
import type { Host, VirtualClock } from '../time/clock.ts'
import { asksOver } from './asks.ts'
import type { Disk } from './disk.ts'
import type { Containers } from './engine.ts'
import type { SimulatedGuard } from './guard.ts'
import { NETWORK, type NodeKeys } from './keys.ts'
import { Leases } from './leases.ts'

/** After news of a death all that comes in together is looked at once. Source: src/scheduler/scheduler.ts */
const QUIET_MS = 50

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
  readonly bootClock: () => number
  readonly bootId: Uint8Array
  readonly owner: string
  readonly neighbours: () => readonly Neighbour[]
  readonly isMember: (peerId: string) => boolean
  readonly of: (peerId: string) => { readonly at: number; readonly daemon: () => Daemon } | undefined
  /** A key or share was given to somebody. */
  readonly onReleased: (daemon: Daemon, request: ReleaseRequest, to: string) => void
  /** Copies are about to be started: keepers are being told. */
  readonly onBegins: (daemon: Daemon, manifestId: Uint8Array, ordinals: readonly number[]) => void
  readonly hasOthers: boolean
  /** Lines of a node's own log, for whoever looks into a failing run. */
  readonly log: (line: string) => void
}

type Handler = (request: unknown) => Promise<void>

/** One run of a node's process: the real scheduler and the real workloads service over what is simulated. */
export class Daemon {
  readonly at: number
  readonly host: Host
  readonly world: World
  readonly leases: Leases
  readonly kept: KeptTable
  readonly keeping: Keeping
  readonly releasing: Releasing
  readonly accepting: Accepting
  readonly healer: Healer
  readonly fenceKeeping: FenceKeeping
  readonly fencing: Fencing
  readonly workloads: Workloads
  readonly doors = new Map<string, Handler>()
  readonly #init: DaemonInit
  readonly #stop = new AbortController()
  #isLookingSoon = false

  constructor(init: DaemonInit) {
    this.#init = init
    const { host, keys, clock, wire, disk, owner, isMember, neighbours, name, at, bootId } = init
    this.at = at
    this.host = host
    const end = { at, host }
    const { key, sealingKey } = keys
    const now = () => clock.wallMs(host)
    const store = disk.openFor(host)
    const trust = () => ownersOnly(new Set([owner]))
    const { signal } = this.#stop
    const say = (format: string, ...values: unknown[]) => init.log([format, ...values.map(shown)].join(' | '))
    const log = Object.assign(say, {
      error: say,
      trace: () => {},
      enabled: true,
      newScope: () => quietLogger
    })
    const of = (peerId: string) => {
      const other = init.of(peerId)
      return other && { at: other.at, leases: () => other.daemon().leases }
    }
    const self = { peerId: key.peerId, name, bootId }
    this.leases = new Leases({ self, end, wire, now, neighbours, of, signal })
    const engines = new EngineRegistry({ now })
    engines.register(init.containers.engineFor(host))
    const check = (bytes: Uint8Array): CheckedRecord =>
      checkRecord(bytes, { networkId: NETWORK.id, trust: trust() })
    const doors = {
      open: (door: string, _root: unknown, handler: Handler) => this.doors.set(door, handler)
    } as unknown as Doors
    this.workloads = new Workloads(
      {
        logger: { forComponent: () => log },
        providers: this.leases as unknown as ProvidersService
      },
      {
        network: NETWORK,
        key,
        nodeName: name,
        store,
        sealingKey: { of: () => sealingKey, stored: { of: () => sealingKey } },
        engines,
        preferredEngine: 'mock',
        publishAddress: '127.0.0.1',
        doors,
        trust,
        keep: (bundle, options) => this.keeping.push(bundle, options),
        guard: init.guard as unknown as Guard,
        fencing: () => this.fencing,
        keptOf: async (manifestId, author) => this.#inspectKept(manifestId, author),
        keptFor: () => ({ keptViews: () => this.#keptViews(), keptBundle: () => undefined }),
        mayResume: (stored, options) =>
          mayResume(this.world, stored, {
            check,
            claim: (ordinals) => {
              init.onBegins(this, stored.manifestId, ordinals)
              return this.keeping.starting.claim(stored.record, ordinals)
            },
            hasOthers: init.hasOthers,
            ...options
          }),
        storagePath: '/',
        capacity: { machine: { cpuMillis: 8_000, memoryBytes: 16 * 2 ** 30 } },
        now
      }
    )
    this.world = {
      key,
      networkId: NETWORK.id,
      nodeName: name,
      store,
      log,
      trust,
      sealingKey: () => sealingKey,
      load: () => 0,
      startedAtMs: now(),
      now,
      bootClock: init.bootClock,
      random: () => clock.dice.next(),
      delay,
      neighbours,
      isMember,
      asks: asksOver(wire, end, key.peerId, init.of),
      leased: (manifestId) => this.leases.leased(manifestId),
      find: (manifestId, options) => this.leases.find(manifestId, options),
      workloads: this.workloads
    }
    this.kept = new KeptTable(store, check)
    const shared = { world: this.world, kept: this.kept, check, signal }
    this.keeping = new Keeping({
      ...shared,
      onKept: (kept, from, ordinals) => this.healer.noteKept(kept, from, ordinals)
    })
    this.releasing = new Releasing(shared)
    this.accepting = new Accepting({
      ...shared,
      onNoPart: (manifestId) => this.healer.tellAgain(manifestId),
      begunElsewhere: (record, ordinals, sinceMs) =>
        this.keeping.starting.begunElsewhere(record, ordinals, sinceMs),
      onStarting: (record, bytes, ordinals) => {
        init.onBegins(this, record.manifestId, ordinals)
        this.keeping.starting.tell(record, bytes, ordinals)
      }
    })
    this.healer = new Healer({ ...shared, keeping: this.keeping })
    const { bootClock } = init
    this.fenceKeeping = new FenceKeeping({ ...shared, clock: bootClock })
    const ask = (request: FenceRequest, from: string) => this.fenceKeeping.answer(request, from)
    this.fencing = new Fencing({ ...shared, clock: bootClock, self: ask })
  }

  /** As the node does it; resolves when it answers. */
  async start(): Promise<void> {
    await this.kept.open(this.world.now())
    this.leases.start()
    await this.workloads.start()
    await this.fenceKeeping.open()
    await this.fencing.open()
    const { signal } = this.#stop
    const onError = (error: unknown) => this.world.log.error('looking after workloads: %e', error)
    void repeat(FENCE_RETRY_MS, () => this.fencing.look(), { signal, onError })
    const look = async () => {
      await this.healer.look()
      await this.fenceKeeping.sweep()
    }
    void repeat(LOOK_INTERVAL_MS, look, { signal, onError })
    this.workloads.addEventListener('workload', ({ detail: { type } }) => {
      if (type === 'stopped' || type === 'failed') this.#lookSoon()
    })
  }

  /** In order, with a word to the others. */
  async stop(): Promise<void> {
    this.leases.withdrawAll()
    this.#stop.abort()
    await this.workloads.stop()
  }

  /** Another node is dead, or has left. */
  onGone(peerId: string): void {
    this.leases.lose(peerId)
    this.#lookSoon()
  }

  #lookSoon(): void {
    if (this.#isLookingSoon) return
    this.#isLookingSoon = true
    setTimeout(() => {
      this.#isLookingSoon = false
      void this.healer.look()
    }, QUIET_MS)
  }

  onReleased(request: ReleaseRequest, to: string): void {
    this.#init.onReleased(this, request, to)
  }

  async #inspectKept(manifestId: Uint8Array, author: string): Promise<HeldVersionInit[]> {
    const kept = this.kept.get(manifestId)
    const isHost = this.workloads.get(manifestId) !== undefined
    return kept?.record.ownerPeerId === author && !isHost ? [await inspectKept(kept, this.world)] : []
  }

  #keptViews(): KeptView[] {
    return this.kept.all().map(({ record }) => ({
      manifestId: record.manifestId,
      version: record.version,
      replicas: record.replicas,
      owner: record.ownerPeerId,
      tombstone: record.tombstone,
      shareThreshold: record.shareThreshold,
      shareHolders: record.shareHolders.length,
      liveHolders: 0,
      standbys: 0
    }))
  }
}

function shown(value: unknown): string {
  return value instanceof Error ? `${value.name} ${value.message}` : String(value)
}

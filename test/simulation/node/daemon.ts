import { delay, repeat } from '../../../src/common/index.ts'
import type { ReleaseRequest } from '../../../src/generated/fbs/index.ts'
import type { ProvidersService } from '../../../src/providers/index.ts'
import { EngineRegistry, type Guard } from '../../../src/runtime/index.ts'
import { FENCE_RETRY_MS, LOOK_INTERVAL_MS } from '../../../src/scheduler/constants.ts'
import { Parts, type PartsInit } from '../../../src/scheduler/parts.ts'
import type { Neighbour } from '../../../src/scheduler/types.ts'
import { ownersOnly } from '../../../src/trust/index.ts'
import type { Doors } from '../../../src/wire/index.ts'
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
  readonly world: PartsInit['world']
  readonly leases: Leases
  readonly parts: Parts
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
        keep: (bundle, options) => this.parts.keeping.push(bundle, options),
        guard: init.guard as unknown as Guard,
        fencing: () => this.parts.fencing,
        keptOf: (manifestId, author) => this.parts.inspectKept(manifestId, author),
        keptFor: () => ({ keptViews: () => this.parts.keptViews(), keptBundle: () => undefined }),
        mayResume: (stored, options) => this.parts.mayResume(stored, options),
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
    const onBegins = (manifestId: Uint8Array, ordinals: readonly number[]) =>
      init.onBegins(this, manifestId, ordinals)
    this.parts = new Parts({ world: this.world, signal, hasOthers: () => init.hasOthers, onBegins })
  }

  /** As the node does it; resolves when it answers. */
  async start(): Promise<void> {
    await this.parts.open()
    this.leases.start()
    await this.workloads.start()
    await this.parts.fencing.open()
    const { signal } = this.#stop
    const onError = (error: unknown) => this.world.log.error('looking after workloads: %e', error)
    void repeat(FENCE_RETRY_MS, () => this.parts.fencing.look(), { signal, onError })
    void repeat(LOOK_INTERVAL_MS, () => this.parts.look(), { signal, onError })
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
      void this.parts.healer.look()
    }, QUIET_MS)
  }

  onReleased(request: ReleaseRequest, to: string): void {
    this.#init.onReleased(this, request, to)
  }
}

function shown(value: unknown): string {
  return value instanceof Error ? `${value.name} ${value.message}` : String(value)
}

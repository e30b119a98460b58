import type { ReleaseRequest } from '../../../src/generated/fbs/index.ts'
import type { MemberView } from '../../../src/members/index.ts'
import { Topology } from '../network/topology.ts'
import { SimulatedWire } from '../network/wire.ts'
import { newHost, type VirtualClock } from '../time/clock.ts'
import { Daemon, type DaemonInit } from './daemon.ts'
import { Disk } from './disk.ts'
import { Containers, type EngineSettings } from './engine.ts'
import { SimulatedGuard } from './guard.ts'
import { keysOf, type NodeKeys } from './keys.ts'

/** A machine: its disk and what runs on it outlive the node's process. */
export interface Machine {
  readonly at: number
  readonly name: string
  readonly keys: NodeKeys
  readonly disk: Disk
  readonly containers: Containers
  readonly guard: SimulatedGuard
  readonly labels: Readonly<Record<string, string>>
  /** Provider records of the DHT that it keeps. */
  readonly records: Set<string>
  /** Another one after each start of its process. */
  bootId: Uint8Array
  /** When it was switched on last. */
  bootedAtMs: number
  daemon: Daemon | undefined
  skewMs: number
  /** It is never coming back. */
  lost: boolean
}

export interface MeshInit {
  readonly clock: VirtualClock
  readonly owner: string
  readonly engine: EngineSettings
  readonly note: (line: string) => void
  readonly log: (name: string, line: string) => void
  readonly onBegins: DaemonInit['onBegins']
  readonly onReleased: (mesh: Mesh, daemon: Daemon, request: ReleaseRequest, to: string) => void
  readonly onSentAway: DaemonInit['onSentAway']
}

/** All machines of a run, and what can be done to them. */
export class Mesh {
  readonly machines: Machine[] = []
  readonly topology: Topology
  readonly wire: SimulatedWire
  readonly #init: MeshInit
  readonly #byPeer = new Map<string, Machine>()

  constructor(init: MeshInit) {
    this.#init = init
    const { clock, note } = init
    const peerIdOf = (peer: number) => this.machines[peer]!.keys.key.peerId
    this.topology = new Topology(clock, {
      onOpinion: (of, peer, before) =>
        this.machines[of]?.daemon?.onOpinion(peerIdOf(peer), before, this.topology.opinion(of, peer)),
      onLink: (of, peer, isConnected) => this.machines[of]?.daemon?.onLink(peerIdOf(peer), isConnected)
    })
    this.wire = new SimulatedWire(clock, this.topology, note)
  }

  /** A new machine, switched off. */
  async add(labels: Machine['labels'] = {}): Promise<Machine> {
    const { clock, note, engine } = this.#init
    const at = this.topology.add()
    this.topology.places[at]!.on = false
    const name = `n${at}`
    const keys = await keysOf(name)
    const containers = new Containers(clock, engine, (line) => note(`${name} ${line}`))
    const bootClock = () => Math.floor(clock.nowMs - machine.bootedAtMs)
    const machine: Machine = {
      at,
      name,
      keys,
      disk: new Disk(clock),
      containers,
      guard: new SimulatedGuard(clock, containers, bootClock),
      labels,
      records: new Set(),
      bootId: new Uint8Array(16).fill(at, 0, 8),
      bootedAtMs: clock.nowMs,
      daemon: undefined,
      skewMs: 0,
      lost: false
    }
    this.machines.push(machine)
    this.#byPeer.set(keys.key.peerId, machine)
    return machine
  }

  machineOf(peerId: string): Machine | undefined {
    return this.#byPeer.get(peerId)
  }

  isMember(peerId: string): boolean {
    return this.#byPeer.has(peerId)
  }

  /** Machines whose process runs and is not stopped. */
  active(): Machine[] {
    return this.machines.filter(({ daemon }) => daemon?.host.alive && !daemon.host.frozen)
  }

  start(machine: Machine): void {
    if (machine.lost || this.topology.places[machine.at]!.host?.alive) return
    const { clock, owner, log, onBegins, onReleased, onSentAway, note } = this.#init
    const { at, name, keys, disk, containers, guard, records } = machine
    if (!this.topology.places[at]!.on) machine.bootedAtMs = clock.nowMs
    const bootClock = () => Math.floor(clock.nowMs - machine.bootedAtMs)
    const host = newHost(name, machine.skewMs)
    const place = this.topology.places[at]!
    Object.assign(place, { on: true, host, left: false })
    note(`${name} starts`)
    machine.bootId = Uint8Array.from(machine.bootId, (byte, index) => (index === 15 ? byte + 1 : byte))
    clock.after(0, host, () => {
      const daemon = new Daemon({
        at,
        name,
        host,
        keys,
        clock,
        disk,
        containers,
        guard,
        records,
        bootClock,
        bootId: machine.bootId,
        owner,
        wire: this.wire,
        members: () => this.membersOf(machine),
        member: (peerId) => {
          const other = this.#byPeer.get(peerId)
          return other && this.#viewOf(machine, other)
        },
        of: (peerId) => {
          const other = this.#byPeer.get(peerId)
          return other && { at: other.at, keys: other.keys, daemon: () => other.daemon! }
        },
        onBegins,
        onSentAway,
        onReleased: (...released) => onReleased(this, ...released),
        hasOthers: this.machines.length > 1,
        log: (line) => log(name, line)
      })
      machine.daemon = daemon
      this.topology.begin(at)
      daemon.start().catch((error: unknown) => {
        log(name, `did not start: ${error}`)
        this.kill(machine)
      })
    })
  }

  /** The process ends at once; the machine goes on, and so does what it runs. */
  kill(machine: Machine): void {
    const { daemon } = machine
    if (daemon === undefined || !daemon.host.alive) return
    this.#init.note(`${machine.name} is killed`)
    daemon.host.alive = false
    daemon.host.held.length = 0
    this.topology.update()
    this.wire.drop(machine.at)
  }

  /** The power goes, and with it all that runs. */
  powerOff(machine: Machine): void {
    this.#init.note(`${machine.name} loses power`)
    if (machine.daemon !== undefined) machine.daemon.host.alive = false
    machine.daemon?.host.held.splice(0)
    this.topology.places[machine.at]!.on = false
    machine.containers.loseAll()
    machine.guard.loseAll()
    this.topology.update()
    this.wire.drop(machine.at)
  }

  freeze(machine: Machine): void {
    if (machine.daemon === undefined || !machine.daemon.host.alive) return
    this.#init.note(`${machine.name} freezes`)
    machine.daemon.host.frozen = true
    this.topology.update()
  }

  resume(machine: Machine): void {
    if (!machine.daemon?.host.frozen) return
    this.#init.note(`${machine.name} goes on`)
    this.#init.clock.thaw(machine.daemon.host)
    this.topology.update()
  }

  /** Stops in order, and starts again after a while. */
  restart(machine: Machine, awayMs: number): void {
    const { daemon } = machine
    const { clock, note } = this.#init
    if (daemon === undefined || !daemon.host.alive || daemon.host.frozen) return
    note(`${machine.name} restarts`)
    this.topology.places[machine.at]!.left = true
    clock.after(0, daemon.host, () => {
      // because a process that does not end in time is ended
      const ended = () => {
        if (daemon.host.alive) this.kill(machine)
      }
      clock.after(10_000, undefined, ended)
      const over = () => clock.after(0, undefined, ended)
      daemon.stop().then(over, over)
    })
    const again = () => {
      if (daemon.host.alive) clock.after(500, undefined, again)
      else if (machine.daemon === daemon) this.start(machine)
    }
    clock.after(awayMs, undefined, again)
  }

  /** From the next start of its process on. */
  setSkew(machine: Machine, skewMs: number): void {
    this.#init.note(`${machine.name} has a clock that is ${Math.round(skewMs)} ms off`)
    machine.skewMs = skewMs
  }

  /** Its clock is put right, or wrong, while its process runs. */
  step(machine: Machine, skewMs: number): void {
    this.setSkew(machine, skewMs)
    if (machine.daemon !== undefined) machine.daemon.host.skewMs = skewMs
  }

  /** Whom a machine's node has heard of. */
  membersOf(machine: Machine): MemberView[] {
    return this.machines.flatMap((other) => this.#viewOf(machine, other) ?? [])
  }

  #viewOf(machine: Machine, { at, name, keys, labels, bootId }: Machine): MemberView | undefined {
    const state = this.topology.opinion(machine.at, at)
    if (state === undefined) return undefined
    const { key, sealingKey } = keys
    return {
      ...SAID,
      peerId: key.peerId,
      publicKey: key.publicKey,
      name,
      labels,
      self: at === machine.at,
      state,
      connected: this.topology.isConnected(machine.at, at),
      sealingKey: sealingKey.publicKey,
      sealingEpoch: sealingKey.epoch,
      bootId,
      silentMs: this.topology.silentMs(machine.at, at)
    }
  }
}

/** What all nodes say of themselves alike. */
const SAID = {
  addresses: [],
  engines: ['mock'],
  version: '',
  scheduling: true,
  leaving: false,
  idle: false,
  issuedAtMs: 0,
  notAfterMs: 0,
  memberOf: [],
  memberships: [],
  statement: new Uint8Array(),
  relayed: false,
  lastSeenMs: 0,
  roundTripMs: 1
} as const

import { createHash } from 'node:crypto'
import { Faults } from './faults.ts'
import { Convergence } from './invariants/convergence.ts'
import { Invariants } from './invariants/invariants.ts'
import { calmEngine, type EngineSettings } from './node/engine.ts'
import { keysOf } from './node/keys.ts'
import { type Machine, Mesh } from './node/machine.ts'
import { Demand } from './owner/demand.ts'
import { isFenced, kindOf } from './owner/documents.ts'
import { Owner } from './owner/owner.ts'
import { START_MS, type VirtualClock } from './time/clock.ts'
import { withVirtualTime } from './time/globals.ts'
import { type Dice, dice as diceOf } from './time/random.ts'

export interface SimulationInit {
  readonly seed: number
  readonly nodes: number
  /** For how long things go wrong, virtual ms. @default drawn, 20 to 120 s */
  readonly chaosMs?: number
  /** Nothing goes wrong. @default false */
  readonly calm?: boolean
  /** Nothing but what runs until it is deleted, under the same seed. @default false */
  readonly servicesOnly?: boolean
  /** Hears every line of the trace. */
  readonly onLine?: (line: string) => void
  /** Also what the nodes log. */
  readonly onLog?: (line: string) => void
}

export interface SimulationResult {
  /** What did not hold; empty: all is well. */
  readonly broken: readonly string[]
  /** Of the trace: the same for the same seed. */
  readonly digest: string
  readonly events: number
  readonly virtualMs: number
  /** From the end of all faults until what runs was as wanted for good; 0: it was at once. */
  readonly convergedMs: number
  readonly faults: Readonly<Record<string, number>>
  readonly applies: number
}

/** What must be right again so long after the last fault. Source: the issue, 60 s. */
const SETTLE_MS = 60_000
/** Keepers finish what an owner began who does not come back: they wait for it, and go from node to node. */
const FINISH_MS = 30_000
/** What an owner has left is tried again within this. */
const REPEAT_MS = 20_000
/** So that a slot of a CronJob comes that nothing disturbed. */
const SLOTS_MS = 75_000
/** Of one copy of a DaemonSet, by its keepers. */
const UPDATE_MS = 4_000
const CONVERGENCE_LOOK_MS = 500
const WARM_UP_MS = 3_000

/** One run: a mesh, an owner, things that go wrong, and what must hold all the same. Everything follows from the seed. */
export async function simulate(init: SimulationInit): Promise<SimulationResult> {
  const dice = diceOf(Math.imul(init.seed, 2654435761) ^ (init.nodes * 7919))
  return withVirtualTime(dice, (clock) => new Run(init, clock, dice).run())
}

class Run {
  readonly #init: SimulationInit
  readonly #clock: VirtualClock
  readonly #dice: Dice
  readonly #hash = createHash('sha256')
  /** Draws of its own: which kinds there are changes nothing else that is drawn. */
  readonly #kinds: Dice
  #applies = 0

  constructor(init: SimulationInit, clock: VirtualClock, dice: Dice) {
    this.#init = init
    this.#clock = clock
    this.#dice = dice
    this.#kinds = diceOf(init.seed ^ 0xca5e)
  }

  async run(): Promise<SimulationResult> {
    const { nodes, chaosMs = this.#dice.between(20_000, 120_000), onLog } = this.#init
    const clock = this.#clock
    const dice = this.#dice
    const note = (line: string) => this.#note(line)
    const demand = new Demand(this.#init.seed)
    const engine: EngineSettings = {
      ...calmEngine([50, 1_500]),
      errors: this.#init.calm ? 0 : 0.05,
      useOf: (manifest) => demand.of(manifest) / Math.max(1, runningOf(mesh, manifest))
    }
    const mesh: Mesh = new Mesh({
      clock,
      engine,
      note,
      owner: (await keysOf('owner')).key.peerId,
      log: (name, line) => onLog?.(`${this.#at()} ${name}: ${line}`),
      onBegins: (daemon, manifestId, ordinals) => invariants.begins(daemon, manifestId, ordinals),
      onReleased: (_mesh, daemon, request, to) => invariants.released(daemon, request, to),
      onSentAway: (daemon, peerId) => invariants.sentAway(daemon, peerId)
    })
    const owner = await Owner.create({ mesh, clock, note, onBug: (error) => invariants.bug(error) })
    const invariants = new Invariants({ clock, mesh, owner })
    // because it would end a real node's process
    const onUnhandled = (error: unknown) => invariants.bug(error)
    process.on('unhandledRejection', onUnhandled)
    for (let index = 0; index < nodes + spareOf(nodes); index++) await mesh.add()
    const spare = mesh.machines.slice(nodes)
    const providers = () =>
      [...Map.groupBy(invariants.copies(), ({ id }) => id).values()].map((copies) => [
        ...new Set(copies.map(({ machine }) => machine))
      ])
    const faults = new Faults({ mesh, clock, dice, engine, spare, providers, note })
    for (const machine of mesh.machines.slice(0, nodes)) mesh.start(machine)
    const chaosEndsMs = START_MS + WARM_UP_MS + chaosMs
    const every = (leastMs: number, mostMs: number, act: () => void) => {
      const next = () => {
        if (clock.nowMs >= chaosEndsMs) return
        act()
        clock.after(dice.between(leastMs, mostMs), undefined, next)
      }
      clock.after(WARM_UP_MS + dice.between(0, mostMs), undefined, next)
    }
    const look = () => {
      invariants.check()
      clock.after(500, undefined, look, true)
    }
    look()
    const manifests = Array.from(
      { length: dice.whole(1, 4) },
      (_, index) => `${this.#kind(dice.chance(0.3))}${this.#init.seed}-${index}`
    )
    const most = Math.min(5, nodes + 1)
    every(1_000, 15_000, () => this.#change(owner, mesh, { manifests, most }))
    if (this.#init.servicesOnly !== true) every(15_000, 60_000, () => demand.change())
    const strain = dice.between(2_000, 15_000)
    if (!this.#init.calm) every(strain / 2, strain * 2, () => faults.strike())
    await clock.run(chaosEndsMs)
    this.#note('healed')
    faults.heal()
    const isOwnerGone = dice.chance(0.3)
    if (isOwnerGone) {
      this.#note('the owner is gone')
      owner.host.alive = false
      for (const one of owner.truth.manifests.values()) if (owner.isBusy(one.name)) one.isOpen = true
    } else clock.after(REPEAT_MS / 2, undefined, () => this.#repeat(owner, mesh))
    const calmMs = clock.nowMs
    const convergence = new Convergence({ clock, mesh, owner, calmMs, copies: () => invariants.copies() })
    const converge = () => {
      convergence.look()
      clock.after(CONVERGENCE_LOOK_MS, undefined, converge, true)
    }
    converge()
    await clock.run(clock.nowMs + SETTLE_MS + (isOwnerGone ? FINISH_MS : REPEAT_MS))
    // what its last command took and left is put right after it, too
    await clock.run(Math.max(clock.nowMs, owner.endedMs + SETTLE_MS))
    // because an update goes from node to node
    if (manifests.some((name) => kindOf(name) === 'DaemonSet'))
      await clock.run(clock.nowMs + UPDATE_MS * mesh.machines.length)
    if (manifests.some((name) => kindOf(name) === 'CronJob')) await clock.run(clock.nowMs + SLOTS_MS)
    process.off('unhandledRejection', onUnhandled)
    invariants.converged(convergence)
    invariants.settled({ calmMs, demandOf: (manifest) => demand.of(manifest) })
    return {
      broken: invariants.broken,
      digest: this.#hash.digest('hex'),
      events: clock.count,
      virtualMs: clock.elapsedMs,
      convergedMs: convergence.lastMs,
      faults: faults.done,
      applies: this.#applies
    }
  }

  /** The owner changes its mind about something. */
  #change(
    owner: Owner,
    mesh: Mesh,
    { manifests, most }: { manifests: readonly string[]; most: number }
  ): void {
    const dice = this.#dice
    const active = mesh.active()
    const idle = manifests.filter((name) => !owner.isBusy(name))
    if (active.length === 0 || idle.length === 0) return
    const [entry, name] = [dice.pick(active), dice.pick(idle)]
    // a node that was started while it was cut off knows nobody: what it calls all members is no majority of anything
    const knowsAll = () =>
      mesh.machines.every(
        ({ at, daemon }) => daemon === undefined || mesh.topology.opinion(entry.at, at) !== undefined
      )
    if (isFenced(name) && !knowsAll()) return
    const isDeleted = owner.names().includes(name) && dice.chance(0.12)
    this.#applies++
    const replicas = dice.whole(1, most)
    const change = dice.whole(0, 3)
    this.#clock.after(
      0,
      owner.host,
      () => void (isDeleted ? owner.delete(name, entry) : owner.apply(name, entry, { replicas, change }))
    )
  }

  /** The first letter of a name says what it is. */
  #kind(isFenced: boolean): string {
    if (isFenced) return 'f'
    return this.#init.servicesOnly ? 'w' : this.#kinds.pick(['w', 'w', 'j', 'c', 'h', 'd'])
  }

  /** What did not work is tried again, now that everything is well. */
  #repeat(owner: Owner, mesh: Mesh): void {
    const active: Machine[] = mesh.active()
    for (const { name } of owner.truth.manifests.values()) {
      if (!owner.isOpen(name) || owner.isBusy(name) || active.length === 0) continue
      const entry = this.#dice.pick(active)
      this.#clock.after(0, owner.host, () => void owner.reapply(name, entry))
    }
  }

  #at(): string {
    return (this.#clock.elapsedMs / 1000).toFixed(3).padStart(8)
  }

  #note(line: string): void {
    const whole = `${this.#at()} ${line}`
    this.#hash.update(whole).update('\n')
    this.#init.onLine?.(whole)
  }
}

function spareOf(nodes: number): number {
  return nodes < 3 ? 1 : 2
}

function runningOf(mesh: Mesh, manifest: string): number {
  const all = mesh.machines.flatMap(({ containers }) => containers.running())
  return all.filter(({ labels }) => labels['beemesh.io/manifest'] === manifest).length
}

import type { EngineSettings } from './node/engine.ts'
import type { Machine, Mesh } from './node/machine.ts'
import type { VirtualClock } from './time/clock.ts'
import type { Dice } from './time/random.ts'

export interface FaultsInit {
  readonly mesh: Mesh
  readonly clock: VirtualClock
  readonly dice: Dice
  readonly engine: EngineSettings
  /** Machines that are not in the mesh yet. */
  readonly spare: Machine[]
  /** Machines that run some manifest now, by manifest. */
  readonly providers: () => readonly (readonly Machine[])[]
  readonly note: (line: string) => void
}

/** How many machines a mesh may lose for good. */
const LOST_SHARE = 0.2

/** What goes wrong. Each kind ends by itself after a while, or when all is healed. */
export class Faults {
  /** How often each kind was done. */
  readonly done: Record<string, number> = {}
  readonly #init: FaultsInit
  readonly #undo = new Set<() => void>()
  #isOver = false

  constructor(init: FaultsInit) {
    this.#init = init
  }

  /** One more, of a kind that fits. */
  strike(): void {
    const { dice } = this.#init
    const kinds = Object.entries(this.#kinds())
    const [name, act] = dice.pick(kinds)
    if (act()) this.done[name] = (this.done[name] ?? 0) + 1
  }

  /** Everything is well again but what is lost for good. */
  heal(): void {
    this.#isOver = true
    for (const undo of [...this.#undo]) undo()
    for (const machine of this.#init.mesh.machines)
      if (!machine.lost && !this.#init.spare.includes(machine)) this.#init.mesh.start(machine)
  }

  #kinds(): Record<string, () => boolean> {
    const { mesh, dice, spare, clock } = this.#init
    const one = (act: (machine: Machine) => void) => () => {
      const active = mesh.active()
      if (active.length === 0) return false
      act(dice.pick(active))
      return true
    }
    return {
      'process killed': one((machine) => this.#kill(machine)),
      'power gone': one((machine) => this.#powerOff(machine)),
      'machine lost': () => this.#lose(mesh.active()),
      frozen: one((machine) =>
        this.#during(
          2_000,
          40_000,
          () => mesh.freeze(machine),
          () => mesh.resume(machine)
        )
      ),
      partition: () => this.#partition(),
      'one-way block': () => this.#block(1),
      'cut between two': () => this.#block(2),
      'loss and delay': () => this.#noise(),
      'clock skew': one((machine) => {
        if (mesh.machines.some(({ skewMs }) => skewMs !== 0)) return
        // from the next start on, because what a step of the clock does to a process that runs is another matter
        mesh.setSkew(machine, dice.between(-20_000, 20_000))
        mesh.restart(machine, dice.between(500, 4_000))
      }),
      'clock jump': one((machine) => {
        if (mesh.machines.some(({ skewMs }) => skewMs !== 0)) return
        this.#during(
          3_000,
          30_000,
          () => mesh.step(machine, dice.between(-20_000, 20_000)),
          () => mesh.step(machine, 0)
        )
      }),
      'disk full': one(({ disk, name }) => {
        const set = (isFull: boolean) => () => {
          this.#init.note(`${name}: disk ${isFull ? 'full' : 'has room'}`)
          disk.isFull = isFull
        }
        this.#during(3_000, 30_000, set(true), set(false))
      }),
      'rolling restart': () => {
        let atMs = 0
        for (const machine of mesh.active()) {
          clock.after(atMs, undefined, () => {
            if (!this.#isOver) mesh.restart(machine, dice.between(500, 4_000))
          })
          atMs += dice.between(1_000, 6_000)
        }
        return true
      },
      restart: one((machine) => mesh.restart(machine, dice.between(500, 8_000))),
      join: () => {
        const machine = spare.shift()
        if (machine !== undefined) mesh.start(machine)
        return machine !== undefined
      },
      'all that run one': () => {
        const running = this.#init.providers().filter((one) => one.length > 0)
        if (running.length === 0) return false
        for (const machine of dice.pick(running)) this.#powerOff(machine)
        return true
      },
      'engine fails': () => {
        const { engine } = this.#init
        if (engine.failures > 0) return false
        const set = (failures: number) => () => {
          engine.failures = failures
        }
        this.#during(3_000, 30_000, set(dice.between(0.1, 0.9)), set(0))
        return true
      }
    }
  }

  #kill(machine: Machine): void {
    const { mesh } = this.#init
    this.#during(
      500,
      40_000,
      () => mesh.kill(machine),
      () => mesh.start(machine)
    )
  }

  #powerOff(machine: Machine): void {
    const { mesh } = this.#init
    if (!mesh.topology.places[machine.at]!.on) return
    this.#during(
      3_000,
      60_000,
      () => mesh.powerOff(machine),
      () => mesh.start(machine)
    )
  }

  #lose(active: readonly Machine[]): boolean {
    const { mesh, dice, note } = this.#init
    const { length } = mesh.machines
    const lost = mesh.machines.filter((machine) => machine.lost).length
    if (active.length < 4 || lost + 1 > length * LOST_SHARE) return false
    const machine = dice.pick(active)
    machine.lost = true
    note(`${machine.name} is lost for good`)
    mesh.powerOff(machine)
    return true
  }

  #partition(): boolean {
    const { mesh, dice } = this.#init
    const side = mesh.machines.map(() => dice.chance(0.5))
    return this.#cut(
      mesh.machines.flatMap((a) =>
        mesh.machines.flatMap((b) => (side[a.at] !== side[b.at] ? [[a.at, b.at] as const] : []))
      )
    )
  }

  #block(ways: 1 | 2): boolean {
    const { mesh, dice } = this.#init
    if (mesh.machines.length < 2) return false
    const [a, b] = [dice.pick(mesh.machines), dice.pick(mesh.machines)]
    if (a === b) return false
    return this.#cut(
      ways === 1
        ? [[a.at, b.at]]
        : [
            [a.at, b.at],
            [b.at, a.at]
          ]
    )
  }

  #cut(pairs: readonly (readonly [number, number])[]): boolean {
    const { topology, wire } = this.#init.mesh
    if (pairs.length === 0) return false
    this.#during(
      2_000,
      45_000,
      () => {
        this.#init.note(`cut ${pairs.map(([a, b]) => `${a}>${b}`).join()}`)
        for (const [from, to] of pairs) topology.block(from, to)
        topology.update()
        wire.cut()
      },
      () => {
        this.#init.note(`healed ${pairs.length}`)
        for (const [from, to] of pairs) topology.unblock(from, to)
        topology.update()
      }
    )
    return true
  }

  #noise(): boolean {
    const { dice, mesh } = this.#init
    const { settings } = mesh.wire
    if (settings.loss > 0) return false
    const before = { ...settings }
    this.#during(
      3_000,
      30_000,
      () =>
        Object.assign(settings, {
          delayMs: [1, dice.between(5, 150)],
          loss: dice.between(0.01, 0.15),
          broken: 0.02
        }),
      () => Object.assign(settings, before)
    )
    return true
  }

  #during(leastMs: number, mostMs: number, begin: () => void, end: () => void): void {
    const { clock, dice } = this.#init
    const undo = () => {
      if (this.#undo.delete(undo)) end()
    }
    this.#undo.add(undo)
    begin()
    clock.after(dice.between(leastMs, mostMs), undefined, undo)
  }
}

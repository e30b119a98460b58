import type { Machine } from './node/machine.ts'
import { setStage } from './stage.ts'
import type { VirtualClock } from './time/clock.ts'
import { withVirtualTime } from './time/globals.ts'
import { type Dice, dice as diceOf } from './time/random.ts'

/** One machine lost, and what became of its copy. Since the loss, ms; undefined: it did not come to that. */
export interface Lost {
  readonly machine: string
  /** A keeper asked for bids. */
  askedMs?: number
  /** A node had the content key. */
  keyMs?: number
  /** The copy runs elsewhere. */
  healedMs?: number
  /** What nodes logged meanwhile. */
  readonly lines: string[]
}

export interface RoundsInit {
  readonly seed: number
  readonly nodes: number
  readonly rounds: number
  readonly how: 'process killed' | 'power gone'
}

/** Takes away a machine that runs a copy of three, waits until the copy is back, lets the machine come back, and again. Nothing else goes wrong. */
export async function loseInTurn({ seed, nodes, rounds, how }: RoundsInit): Promise<Lost[]> {
  const dice = diceOf(Math.imul(seed, 2654435761) ^ nodes)
  return withVirtualTime(dice, (clock) => new Rounds(clock, dice).run({ nodes, rounds, how }))
}

class Rounds {
  readonly #clock: VirtualClock
  readonly #dice: Dice
  #lost: Lost | undefined
  #lostAtMs = 0

  constructor(clock: VirtualClock, dice: Dice) {
    this.#clock = clock
    this.#dice = dice
  }

  async run({ nodes, rounds, how }: Omit<RoundsInit, 'seed'>): Promise<Lost[]> {
    const clock = this.#clock
    const dice = this.#dice
    const { mesh, owner, invariants } = await setStage(clock, {
      nodes,
      log: (name, line) => this.#hear(name, line)
    })
    await clock.run(clock.nowMs + 5_000)
    clock.after(0, owner.host, () => void owner.apply('web', mesh.machines[0]!, { replicas: 3, change: 0 }))
    await clock.run(clock.nowMs + 40_000 + dice.between(0, 30_000))
    const all: Lost[] = []
    for (let round = 0; round < rounds; round++) {
      const machine = dice.pick(invariants.copies()).machine
      const lost = this.#begin(machine)
      all.push(lost)
      if (how === 'power gone') mesh.powerOff(machine)
      else {
        mesh.kill(machine)
        machine.containers.loseAll()
      }
      for (let waitedMs = 0; waitedMs < 20_000 && lost.healedMs === undefined; waitedMs += 50) {
        await clock.run(clock.nowMs + 50)
        const own = new Set(invariants.copies().map(({ ordinal }) => ordinal))
        if (own.size === 3) lost.healedMs = clock.nowMs - this.#lostAtMs
      }
      this.#lost = undefined
      mesh.start(machine)
      await clock.run(clock.nowMs + 20_000 + dice.between(0, 40_000))
    }
    return all
  }

  #begin(machine: Machine): Lost {
    this.#lost = { machine: machine.name, lines: [] }
    this.#lostAtMs = this.#clock.nowMs
    return this.#lost
  }

  #hear(name: string, line: string): void {
    const lost = this.#lost
    if (lost === undefined) return
    const atMs = this.#clock.nowMs - this.#lostAtMs
    lost.lines.push(`${Math.round(atMs)} ${name}: ${line}`)
    if (line.includes('asking for bids')) lost.askedMs ??= atMs
    if (line.startsWith('got the key')) lost.keyMs ??= atMs
  }
}

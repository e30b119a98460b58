import { type Dice, dice as diceOf } from '../time/random.ts'

/** Thousandths of a CPU that callers of a scaled workload use up, all its copies together. */
const DEMAND_MILLIS = [10, 400] as const

/** How much work there is for what is scaled. Draws of its own, so that a change here changes no other history. */
export class Demand {
  readonly #dice: Dice
  readonly #millis = new Map<string, number>()

  constructor(seed: number) {
    this.#dice = diceOf(seed ^ 0x5eed)
  }

  /** @param manifest the label its copies carry */
  of(manifest: string): number {
    const millis = this.#millis.get(manifest) ?? this.#dice.between(...DEMAND_MILLIS)
    this.#millis.set(manifest, millis)
    return millis
  }

  /** Callers come and go. */
  change(): void {
    this.#millis.clear()
  }
}

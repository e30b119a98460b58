import type { Guard, GuardLease } from '../../../src/runtime/guard/guard.ts'
import type { Event, VirtualClock } from '../time/clock.ts'
import type { Containers } from './engine.ts'

/** How often it looks. Source: scripts of src/runtime/guard, twice a second. */
const LOOK_MS = 500

/** A machine's guard: kills what runs longer than its lease, also while the node's process is dead or stands still. Ends with the power. */
export class SimulatedGuard
  implements Pick<Guard, 'ensure' | 'set' | 'untilMs' | 'killed' | 'forget' | 'names'>
{
  readonly #leases = new Map<string, GuardLease>()
  readonly #clock: VirtualClock
  readonly #containers: Containers
  readonly #bootClock: () => number
  #next: Event | undefined

  constructor(clock: VirtualClock, containers: Containers, bootClock: () => number) {
    this.#clock = clock
    this.#containers = containers
    this.#bootClock = bootClock
  }

  async ensure(): Promise<void> {}

  async set(name: string, lease: GuardLease): Promise<void> {
    this.#leases.set(name, lease)
    this.#next ??= this.#clock.after(LOOK_MS, undefined, () => this.#look(), true)
  }

  async untilMs(name: string): Promise<number | undefined> {
    return this.#leases.get(name)?.untilMs
  }

  async killed(): Promise<string[]> {
    return []
  }

  async forget(name: string): Promise<void> {
    this.#leases.delete(name)
  }

  async names(): Promise<string[]> {
    return [...this.#leases.keys()]
  }

  loseAll(): void {
    this.#leases.clear()
  }

  #look(): void {
    this.#next = undefined
    for (const [name, { untilMs }] of this.#leases)
      if (untilMs <= this.#bootClock()) this.#containers.stop(name)
    if (this.#leases.size > 0) this.#next = this.#clock.after(LOOK_MS, undefined, () => this.#look(), true)
  }
}

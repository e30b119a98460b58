import { WireError } from '../../../src/wire/index.ts'
import type { Host, VirtualClock } from '../time/clock.ts'
import type { Topology } from './topology.ts'

/** One end of a question: a process at a place. A client stands at the place of its entry node. */
export interface End {
  readonly at: number
  readonly host: Host
}

export interface WireSettings {
  /** One way, ms; a share of the messages takes up to twenty times the longest. */
  delayMs: readonly [number, number]
  /** Share of messages that are lost once and sent again by TCP. */
  loss: number
  /** Share of streams that break after the question arrived. */
  broken: number
}

/** How long TCP and the dialler try before they give up on silence. Source: facts on the mesh, a dial with our deadline. */
const GIVE_UP_MS = 3_000

interface Open {
  readonly from: End
  readonly to: number
  readonly fail: (code: 'NODE_UNREACHABLE' | 'CONNECTION_LOST') => void
}

/** Questions and answers between processes, with delay, loss and silence, as streams over TCP have them. */
export class SimulatedWire {
  readonly settings: WireSettings = { delayMs: [0.3, 3], loss: 0, broken: 0 }
  readonly #clock: VirtualClock
  readonly #topology: Topology
  readonly #note: (line: string) => void
  readonly #open = new Set<Open>()

  constructor(clock: VirtualClock, topology: Topology, note: (line: string) => void) {
    this.#clock = clock
    this.#topology = topology
    this.#note = note
  }

  /** @param serve runs as the other process; what it returns has to be bytes, because nothing else is shared */
  ask<T>(
    from: End,
    to: number,
    {
      name,
      serve,
      signal,
      quick = false
    }: { name: string; serve: () => Promise<T> | T; signal: AbortSignal; quick?: boolean }
  ): Promise<T> {
    if (signal.aborted) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const { dice } = this.#clock
    const settle = (act: () => void) => {
      if (!this.#open.delete(open)) return
      signal.removeEventListener('abort', onAbort)
      act()
    }
    const open: Open = {
      from,
      to,
      fail: (code) =>
        settle(() => reject(new WireError(code, `node ${to} does not answer`, { retryable: true })))
    }
    const onAbort = () => settle(() => reject(signal.reason))
    const failLater = (ms: number, code: 'NODE_UNREACHABLE' | 'CONNECTION_LOST') =>
      this.#clock.after(ms, from.host, () => open.fail(code))
    signal.addEventListener('abort', onAbort, { once: true })
    this.#open.add(open)
    const answer = (act: () => void, code: string) =>
      this.#clock.after(
        this.#delay(),
        undefined,
        () => {
          if (!this.#topology.connects(to, from.at)) return failLater(GIVE_UP_MS, 'CONNECTION_LOST')
          this.#clock.after(
            0,
            from.host,
            () => {
              this.#note(`${to}>${from.host.name} ${name} ${code}`)
              settle(act)
            },
            false
          )
        },
        true
      )
    this.#clock.after(
      this.#delay(),
      undefined,
      () => {
        const { on, host } = this.#topology.places[to]!
        if (!on || !this.#topology.connects(from.at, to)) return failLater(GIVE_UP_MS, 'NODE_UNREACHABLE')
        if (host === undefined || !host.alive) return failLater(this.#delay(), 'NODE_UNREACHABLE')
        this.#clock.after(
          0,
          host,
          () => {
            this.#note(`${from.host.name}>${to} ${name}`)
            if (dice.chance(this.settings.broken)) failLater(this.#delay(), 'CONNECTION_LOST')
            Promise.resolve()
              .then(serve)
              .then(
                (value) => answer(() => resolve(value), codeOf(value)),
                (error: unknown) => answer(() => reject(error), `failed: ${error}`)
              )
          },
          quick
        )
      },
      true
    )
    return promise
  }

  /** Something that is said without an answer; lost when nobody is there to hear it. */
  tell(from: End, to: number, hear: () => void, lossFree = false): void {
    if (!lossFree && this.#clock.dice.chance(this.settings.loss)) return
    this.#clock.after(
      this.#delay(),
      undefined,
      () => {
        const { host } = this.#topology.places[to]!
        if (host === undefined || !this.#topology.connects(from.at, to)) return
        this.#clock.after(0, host, hear, true)
      },
      true
    )
  }

  /** A process ended: whoever waited for it hears so at once, when its machine lives, else only by silence. */
  drop(at: number): void {
    for (const open of [...this.#open]) {
      if (open.from.at === at && !open.from.host.alive) this.#open.delete(open)
      if (open.to !== at) continue
      const isTold = this.#topology.connects(open.from.at, at)
      const ms = isTold ? this.#delay() : GIVE_UP_MS
      this.#clock.after(ms, open.from.host, () => open.fail('CONNECTION_LOST'))
    }
  }

  /** A direct connection was cut: what is under way on it ends when somebody notices. */
  cut(): void {
    for (const open of [...this.#open])
      if (!this.#topology.connects(open.from.at, open.to))
        this.#clock.after(GIVE_UP_MS, open.from.host, () => {
          if (!this.#topology.connects(open.from.at, open.to)) open.fail('CONNECTION_LOST')
        })
  }

  #delay(): number {
    const { dice } = this.#clock
    const [least, most] = this.settings.delayMs
    const usual = dice.between(least, most)
    const slow = dice.chance(0.02) ? dice.between(most, 20 * most) : 0
    return usual + slow + (dice.chance(this.settings.loss) ? dice.between(200, 1_500) : 0)
  }
}

function codeOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || !('code' in value)) return 'ok'
  return typeof value.code === 'string' ? value.code : 'ok'
}

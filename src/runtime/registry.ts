import type { Abortable } from '../common/index.ts'
import { RuntimeError } from './errors.ts'
import type { EngineAvailability, RuntimeEngine } from './types.ts'

/** How long one answer of `isAvailable` holds, ms. Chosen, no evidence yet: a burst of deployments asks once. */
export const AVAILABILITY_CACHE_MS = 5_000

/** An answer "available" may be used this many times longer, while the engine is asked again. Chosen: a minute in all. */
const STALE_FACTOR = 12

/** Never picked because it happens to be there: it pretends. */
const MOCK = 'mock'

/** What a Compose file asks for where it says nothing, so that many who need it never named it. */
const DOCKER = 'docker'
const START_DOCKER =
  'Start Docker on that machine, name another with --to, or another engine: annotation beemesh.io/engine, in a Compose file x-beemesh: { engine: podman }.'

export interface EngineChoice {
  /** Named by the manifest (`beemesh.io/engine`): this engine or an error, never another. */
  readonly required?: string
  /** Named by the node's configuration: this engine when it is available, else the next best. */
  readonly preferred?: string
}

export interface EngineRegistryInit {
  /** Current time, ms. @default Date.now */
  readonly now?: () => number
  /** How long an answer of `isAvailable` holds, ms; 0 asks every time. @default {@link AVAILABILITY_CACHE_MS} */
  readonly cacheMs?: number
}

/** The engines of one node, in order of preference. */
export class EngineRegistry {
  readonly #engines = new Map<string, RuntimeEngine>()
  readonly #answers = new Map<string, { readonly at: number; readonly answer: EngineAvailability }>()
  readonly #asking = new Map<string, Promise<EngineAvailability>>()
  readonly #now: () => number
  readonly #cacheMs: number

  constructor(init: EngineRegistryInit = {}) {
    this.#now = init.now ?? Date.now
    this.#cacheMs = init.cacheMs ?? AVAILABILITY_CACHE_MS
  }

  /** Adds an engine behind those registered before; one of the same name takes the old one's place. */
  register(engine: RuntimeEngine): void {
    this.#engines.set(engine.name, engine)
    this.#answers.delete(engine.name)
  }

  /** Names in order of preference. */
  names(): string[] {
    return [...this.#engines.keys()]
  }

  /** @throws RuntimeError ENGINE_NOT_FOUND */
  get(name: string): RuntimeEngine {
    const engine = this.#engines.get(name)
    if (engine !== undefined) return engine
    throw new RuntimeError('ENGINE_NOT_FOUND', `no engine is called "${name}" here; ${this.#known()}`, {
      details: { engine: name, known: this.names() },
      hint: 'Correct the annotation beemesh.io/engine, or run the workload on a node that has this engine.'
    })
  }

  /**
   * What an engine last said of itself, at most {@link AVAILABILITY_CACHE_MS} ago, or up to a minute when it was available then: it is
   * asked again meanwhile. An engine that throws is not available.
   */
  async availability(name: string, options: Abortable = {}): Promise<EngineAvailability> {
    const engine = this.get(name)
    const known = this.#answers.get(name)
    const age = known === undefined ? Number.POSITIVE_INFINITY : this.#now() - known.at
    if (known !== undefined && age < this.#cacheMs) return known.answer
    const asked = this.#asking.get(name) ?? this.#ask(engine, options)
    this.#asking.set(name, asked)
    const done = () => this.#asking.delete(name)
    asked.then(done, done)
    // because asking Podman takes 0.2 s, and one that worked a minute ago very likely does: a deployment shows if not
    if (known?.answer.available && age < this.#cacheMs * STALE_FACTOR) {
      return known.answer
    }
    return asked
  }

  async #ask(engine: RuntimeEngine, options: Abortable): Promise<EngineAvailability> {
    let answer: EngineAvailability
    try {
      answer = await engine.isAvailable(options)
    } catch (error) {
      options.signal?.throwIfAborted()
      answer = { available: false, reason: error instanceof Error ? error.message : String(error) }
    }
    this.#answers.set(engine.name, { at: this.#now(), answer })
    return answer
  }

  /**
   * The engine for one workload: the required one and then only that; else the preferred one if it is available; else the
   * first available one in order of registration. `mock` is picked only when it is named, or when it is all there is.
   * @throws RuntimeError ENGINE_NOT_FOUND (required but not registered), ENGINE_UNAVAILABLE (with each engine's reason)
   */
  async pick(choice: EngineChoice = {}, options: Abortable = {}): Promise<RuntimeEngine> {
    if (choice.required !== undefined) {
      const engine = this.get(choice.required)
      const { available, reason } = await this.availability(engine.name, options)
      if (available) return engine
      throw unavailable(
        `the manifest asks for engine "${engine.name}", which is not available`,
        { [engine.name]: reason },
        engine.name === DOCKER ? START_DOCKER : SET_UP
      )
    }
    const reasons: Record<string, string | undefined> = {}
    for (const engine of this.#candidates(choice.preferred)) {
      const { available, reason } = await this.availability(engine.name, options)
      if (available) return engine
      reasons[engine.name] = reason
    }
    throw unavailable('no engine is available on this machine', reasons)
  }

  /** Closes every engine, also when one of them fails. Workloads keep running. */
  async close(): Promise<void> {
    const results = await Promise.allSettled([...this.#engines.values()].map((engine) => engine.close?.()))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  #candidates(preferred: string | undefined): RuntimeEngine[] {
    const first = preferred === undefined ? undefined : this.#engines.get(preferred)
    const rest = [...this.#engines.values()].filter((engine) => engine !== first)
    const real = this.#engines.size === 1 ? rest : rest.filter((engine) => engine.name !== MOCK)
    return first === undefined ? real : [first, ...real]
  }

  #known(): string {
    return this.#engines.size === 0 ? 'none is registered' : `there is ${this.names().join(', ')}`
  }
}

const SET_UP = 'Run "npm run setup" (or install Podman) on that machine, then ask again.'

function unavailable(
  what: string,
  reasons: Readonly<Record<string, string | undefined>>,
  hint = SET_UP
): RuntimeError {
  const told = Object.entries(reasons).map(([name, reason]) => `${name}: ${reason ?? 'no reason given'}`)
  return new RuntimeError('ENGINE_UNAVAILABLE', told.length === 0 ? what : `${what} (${told.join('; ')})`, {
    details: { reasons },
    hint
  })
}

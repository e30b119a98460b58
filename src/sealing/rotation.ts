import { delay, toError } from '../common/index.ts'
import type { SealingKeyring } from './keyring.ts'
import type { SealingKey } from './sealing-key.ts'

/**
 * Opens everything of one store that is sealed to `from`, and seals it to `to`, on disk when it resolves. Called again for the same keys
 * after a crash and before the old key goes, so what is sealed to `to` already is left alone. When it rejects the old key stays.
 */
export type Resealer = (from: SealingKey, to: SealingKey) => Promise<void>

/**
 * An old key is kept so long after everything under it was sealed to the new one: an owner may still seal to it who has the node's
 * statement of before, which is believed for an hour (STATEMENT_LIFETIME_MS of members), and his envelope is taken for 5 min more.
 */
export const OLD_KEY_GRACE_MS = 90 * 60 * 1000
/** Whether a key is due, or may go, is looked at this often. Chosen. */
const CHECK_MS = 60_000

export interface SealingKeyRotationInit {
  readonly keys: SealingKeyring
  /** Age at which the key is replaced, ms; 0: never by itself. */
  readonly intervalMs: number
  /** @default {@link OLD_KEY_GRACE_MS} */
  readonly graceMs?: number
  readonly resealers: readonly Resealer[]
  /** The new key is on disk: others should hear of it. */
  readonly onRotated?: (key: SealingKey) => void
  readonly onDestroyed?: (epoch: number) => void
  readonly onError?: (error: Error) => void
  /** For crash tests: called after each step. What it throws ends the round. */
  readonly onStep?: (step: 'made' | 'resealed' | 'noted' | 'retired' | 'resealed-again' | 'destroyed') => void
  readonly now?: () => number
}

/**
 * Replaces a node's sealing key when it is old, and destroys what was replaced once nothing is sealed to it any more. Every step is on
 * disk before the next, and a round begins with what the one before left undone, so a crash anywhere is mended by the next start.
 */
export class SealingKeyRotation {
  readonly #init: SealingKeyRotationInit
  readonly #now: () => number
  readonly #graceMs: number
  #stop = new AbortController()
  /** Rounds one after the other. */
  #tail: Promise<void> = Promise.resolve()
  #loop: Promise<void> = Promise.resolve()

  constructor(init: SealingKeyRotationInit) {
    this.#init = init
    this.#now = init.now ?? Date.now
    this.#graceMs = init.graceMs ?? OLD_KEY_GRACE_MS
  }

  /** From now on by itself, after a first round. */
  start(): void {
    this.#stop = new AbortController()
    this.#loop = this.#watch(this.#stop.signal)
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#loop
    await this.#tail
  }

  /** Replaces the key now. Resolves when everything this node holds is sealed to the new one; the old one stays for its grace. */
  rotate(): Promise<void> {
    return this.#run(async () => {
      await this.#replace()
      await this.#tidy()
    })
  }

  /** What is due now. */
  round(): Promise<void> {
    return this.#run(async () => {
      const { keys, intervalMs } = this.#init
      // also when the clock went back by so much: a key must not get old because of it
      if (intervalMs > 0 && Math.abs(this.#now() - keys.madeAtMs) >= intervalMs) await this.#replace()
      await this.#tidy()
    })
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.round().catch((error: unknown) => this.#init.onError?.(toError(error)))
      await delay(CHECK_MS, { signal }).catch(() => {})
    }
  }

  #run(act: () => Promise<void>): Promise<void> {
    const run = this.#tail.then(act)
    this.#tail = run.catch(() => {}) // because whoever asked for it hears of its failure
    return run
  }

  async #replace(): Promise<void> {
    const { keys, onRotated, onStep } = this.#init
    const key = await keys.rotate()
    onStep?.('made')
    onRotated?.(key)
  }

  /** Everything under older keys is sealed to the present one; those whose grace is over go. */
  async #tidy(): Promise<void> {
    const { keys, onStep, onDestroyed } = this.#init
    for (const { key, keepUntilMs } of keys.older) {
      // a clock that went back must not keep a key for years: then its grace begins anew
      const noted = keepUntilMs !== undefined && keepUntilMs <= this.#now() + this.#graceMs
      if (!noted) {
        await this.#reseal(key)
        onStep?.('resealed')
        await keys.keepUntil(key.epoch, this.#now() + this.#graceMs)
        onStep?.('noted')
      } else if (keepUntilMs <= this.#now()) {
        await this.#reseal(key) // what came in since
        keys.retire(key.epoch)
        onStep?.('retired')
        await this.#reseal(key) // what was opened before that and stored after
        onStep?.('resealed-again')
        await keys.destroy(key.epoch)
        onStep?.('destroyed')
        onDestroyed?.(key.epoch)
      }
    }
  }

  async #reseal(from: SealingKey): Promise<void> {
    const { keys, resealers } = this.#init
    for (const reseal of resealers) {
      this.#stop.signal.throwIfAborted()
      await reseal(from, keys.current)
    }
  }
}

import { toHex } from '../../common/index.ts'
import type { SigningKey } from '../../identity/index.ts'
import { RESIGN_MS } from '../constants.ts'
import { openProviderStatement, signProviderStatement } from '../provider-statement.ts'
import type { ProvidedManifest, ProviderView } from '../types.ts'

export interface OwnStatementsInit {
  readonly key: SigningKey
  readonly networkId: Uint8Array
  readonly nodeName: string
  readonly bootId: Uint8Array
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly capabilities?: readonly string[] | undefined
  readonly now: () => number
}

/** What this node runs, as signed statements; not signed again for everybody who asks in the same moment. */
export class OwnStatements {
  readonly #init: OwnStatementsInit
  readonly #provided = new Map<string, () => ProvidedManifest | undefined>()
  readonly #said = new Map<string, { view: ProviderView; atMs: number }>()

  constructor(init: OwnStatementsInit) {
    this.#init = init
  }

  set(key: string, describe: () => ProvidedManifest | undefined): void {
    this.#provided.set(key, describe)
    this.#said.delete(key)
  }

  /** @returns whether there was one */
  delete(key: string): boolean {
    this.#said.delete(key)
    return this.#provided.delete(key)
  }

  clear(): void {
    this.#provided.clear()
    this.#said.clear()
  }

  keys(): string[] {
    return [...this.#provided.keys()]
  }

  /** What runs now; undefined: nothing. */
  provided(key: string): ProvidedManifest | undefined {
    return this.#provided.get(key)?.()
  }

  /** At most one. */
  views(manifestId: Uint8Array): ProviderView[] {
    if (this.#provided.size === 0) return []
    const { networkId, now } = this.#init
    const key = toHex(manifestId)
    const nowMs = now()
    const said = this.#said.get(key)
    if (said !== undefined && Math.abs(nowMs - said.atMs) < RESIGN_MS) return [said.view]
    const provided = this.provided(key)
    if (provided === undefined) return []
    const statement = this.sign(manifestId, provided)
    const view = openProviderStatement(statement, { networkId, nowMs, source: 'local' })
    this.#said.set(key, { view, atMs: nowMs })
    return [view]
  }

  sign(manifestId: Uint8Array, provided: ProvidedManifest): Uint8Array {
    return signProviderStatement(manifestId, provided, { ...this.#init, nowMs: this.#init.now() })
  }

  /** That a manifest is not run any more. */
  signDenial(manifestId: Uint8Array, version: number): Uint8Array {
    const context = { ...this.#init, nowMs: this.#init.now(), denial: true }
    return signProviderStatement(manifestId, { version, workloads: [] }, context)
  }
}

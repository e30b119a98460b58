import type { AddressManager } from '@libp2p/interface-internal'
import type { SigningKey } from '../identity/index.ts'
import { MAX_RELAYED_ADDRESSES, MAX_STATEMENT_BYTES, STATEMENT_INTERVAL_MS } from './constants.ts'
import { isRelayed } from './dial/dial-member.ts'
import { MAX_ADDRESSES, signNodeStatement } from './node-statement.ts'
import type { SelfDescription } from './types.ts'

export interface OwnStatementInit {
  readonly key: SigningKey
  readonly networkId: Uint8Array
  readonly addressManager: AddressManager
  readonly describe: () => SelfDescription
  readonly now: () => number
}

/** What this node says of itself, signed anew when it changes or grows old. */
export class OwnStatement {
  readonly #init: OwnStatementInit
  #bytes: Uint8Array | undefined
  #signedAtMs = 0
  #saidIdle = false
  #issuedAtMs = 0
  /** Of what this node said in an earlier run, as others still know it. */
  #saidBeforeMs = 0

  constructor(init: OwnStatementInit) {
    this.#init = init
  }

  /** The present one. */
  get bytes(): Uint8Array {
    return this.#bytes === undefined || this.#isOld() ? this.renew() : this.#bytes
  }

  /** Whether what was said last is old, or not so any more. */
  isOutdated(): boolean {
    return this.#isOld() || (this.#init.describe().idle ?? false) !== this.#saidIdle
  }

  /** The next one is signed anew. */
  reset(): void {
    this.#bytes = undefined
  }

  /**
   * Others know a statement of this node that is newer than its own: its last word before a restart, after which its clock is behind. They
   * go by that one until there is a newer one. @returns whether there is to be one
   */
  outrun(issuedAtMs: number): boolean {
    if (issuedAtMs <= this.#issuedAtMs) return false
    this.#saidBeforeMs = issuedAtMs
    return true
  }

  /** @param leaving the last word */
  renew({ leaving = false } = {}): Uint8Array {
    const { key, networkId, addressManager, describe, now } = this.#init
    const all = addressManager
      .getAddresses()
      .map((address) => address.toString().replace(/\/p2p\/[^/]+$/, ''))
    const relayed = all.filter(isRelayed).slice(0, MAX_RELAYED_ADDRESSES)
    const direct = all.filter((address) => !isRelayed(address)).slice(0, MAX_ADDRESSES - relayed.length)
    const addresses = [...direct, ...relayed]
    this.#signedAtMs = now()
    // because the newest wins, two of one millisecond must differ; a clock that jumped back starts again where it stands
    const next = this.#issuedAtMs + 1
    const isSet = next - this.#signedAtMs >= 1_000 && this.#signedAtMs > this.#saidBeforeMs
    this.#issuedAtMs = isSet ? this.#signedAtMs : Math.max(this.#signedAtMs, next, this.#saidBeforeMs + 1)
    const context = { key, networkId, nowMs: this.#issuedAtMs, leaving }
    const self = describe()
    this.#saidIdle = self.idle ?? false
    this.#bytes = this.#fitting({ ...self, addresses }, context)
    return this.#bytes
  }

  /** Because others drop a statement that is too large: rather one with fewer addresses, of which the last are the least useful. */
  #fitting(
    { addresses, ...self }: Parameters<typeof signNodeStatement>[0],
    context: Parameters<typeof signNodeStatement>[1]
  ): Uint8Array {
    const kept = [...addresses]
    let memberships = self.memberships
    for (;;) {
      const bytes = signNodeStatement({ ...self, memberships, addresses: kept }, context)
      if (bytes.byteLength <= MAX_STATEMENT_BYTES) return bytes
      if (kept.length > 1) kept.pop()
      else if (memberships.length > 1) memberships = memberships.slice(0, -1)
      else return bytes // nothing left to leave out
    }
  }

  /** Also when the clock jumped: an old statement of our own would be refused even by us. */
  #isOld(): boolean {
    return Math.abs(this.#init.now() - this.#signedAtMs) > STATEMENT_INTERVAL_MS
  }
}

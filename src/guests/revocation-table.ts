import { createHash } from 'node:crypto'
import { type Collection, jsonCodec, type Store } from '../store/index.ts'
import { type Grant, type GrantChain, isRevokedBy, openRevocation, type Revocation } from '../trust/index.ts'
import { MAX_REVOCATIONS } from './constants.ts'

/** Who revoked what. On disk before anybody is told that it is known. */
export class RevocationTable {
  readonly #stored: Collection<{ readonly bytes: Uint8Array }>
  readonly #networkId: Uint8Array
  readonly #now: () => number
  /** By grant and author, so that one who may not revoke does not hide one who may. */
  readonly #known = new Map<string, Revocation>()
  readonly #authors = new Map<string, Set<string>>()
  #digest: Uint8Array | undefined

  constructor(store: Store, networkId: Uint8Array, now: () => number) {
    this.#stored = store.collection('revocations', jsonCodec())
    this.#networkId = networkId
    this.#now = now
  }

  async open(): Promise<void> {
    for await (const [key, { bytes }] of this.#stored.entries()) {
      const revocation = openRevocation(bytes, { networkId: this.#networkId, nowMs: this.#now() })
      if (revocation.forgetAfter > this.#now()) this.#keep(revocation)
      else await this.#stored.delete(key)
    }
  }

  all(): Revocation[] {
    return [...this.#known.values()].filter(({ forgetAfter }) => forgetAfter > this.#now())
  }

  /** Those of some grants. @param ids of grants */
  of(ids: ReadonlySet<string>): Revocation[] {
    return this.#known.size === 0 ? [] : this.all().filter(({ grant }) => ids.has(grant))
  }

  /** How many somebody has made. */
  countOf(author: string): number {
    return [...this.#known.values()].filter((one) => one.author === author).length
  }

  isRevoked(link: Grant, chain: GrantChain): boolean {
    return isRevokedBy(this.#authors.get(link.id), link, chain)
  }

  /** @returns whether it is new; also false when there is no room */
  async add(revocation: Revocation): Promise<boolean> {
    const key = keyOf(revocation)
    if (this.#known.has(key) || revocation.forgetAfter <= this.#now()) return false
    if (this.#known.size >= MAX_REVOCATIONS && !(await this.#makeRoom())) return false
    await this.#stored.put(key, { bytes: revocation.bytes })
    this.#keep(revocation)
    return true
  }

  /** Uint8Array(32), equal for two that know the same. */
  digest(): Uint8Array {
    if (this.#digest === undefined) {
      const hash = createHash('sha256')
      for (const key of [...this.#known.keys()].sort()) hash.update(key)
      this.#digest = new Uint8Array(hash.digest())
    }
    return this.#digest
  }

  #keep(revocation: Revocation): void {
    this.#known.set(keyOf(revocation), revocation)
    const authors = this.#authors.get(revocation.grant) ?? new Set()
    this.#authors.set(revocation.grant, authors.add(revocation.author))
    this.#digest = undefined
  }

  /** Forgets those whose grants are over. */
  async #makeRoom(): Promise<boolean> {
    for (const [key, { forgetAfter, grant, author }] of this.#known)
      if (forgetAfter <= this.#now()) {
        this.#known.delete(key)
        this.#authors.get(grant)?.delete(author)
        this.#digest = undefined
        await this.#stored.delete(key)
      }
    return this.#known.size < MAX_REVOCATIONS
  }
}

function keyOf({ grant, author }: Revocation): string {
  return `${grant}-${author}`
}

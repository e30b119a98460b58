import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Network, type SigningKey, writePrivateFile } from '../../identity/index.ts'
import { type Membership, openMembership, signMembership } from '../../trust/index.ts'

/** In the data directory, one grant a line in base64; an invite writes it, too. */
export const MEMBERSHIPS_FILE = 'memberships'

/** What makes this node a member, on disk. Grants of other networks stay in the file and do not count in this one. */
export class Memberships {
  readonly #file: string
  readonly #context: { readonly subject: Uint8Array; readonly networkId: Uint8Array }
  #lines: string[] = []

  constructor(path: string, { key, network }: { readonly key: SigningKey; readonly network: Network }) {
    this.#file = join(path, MEMBERSHIPS_FILE)
    this.#context = { subject: key.publicKey, networkId: network.id }
  }

  async open(): Promise<void> {
    const text = await readFile(this.#file, 'utf8').catch(() => '')
    this.#lines = text.split('\n').filter((line) => line !== '')
  }

  /** Those that count now. */
  list(): Uint8Array[] {
    return this.#lines.map(bytesOf).filter((grant) => this.#valid(grant) !== undefined)
  }

  /** One by an owner whose key is at hand, unless there is one. */
  async sign(owner: SigningKey): Promise<void> {
    if (this.list().some((grant) => this.#valid(grant)?.issuer === owner.peerId)) return
    await this.add(signMembership(owner, { ...this.#context, nowMs: Date.now() }))
  }

  /** @param membership checked */
  add(membership: Uint8Array): Promise<void> {
    const line = Buffer.from(membership).toString('base64')
    return this.#write([...this.#lines.filter((one) => one !== line), line])
  }

  /** Forgets those that come from an owner. */
  drop(issuer: string): Promise<void> {
    return this.#write(this.#lines.filter((line) => this.#valid(bytesOf(line))?.issuer !== issuer))
  }

  #valid(grant: Uint8Array): Membership | undefined {
    try {
      return openMembership(grant, { ...this.#context, nowMs: Date.now() })
    } catch {
      return undefined
    }
  }

  async #write(lines: string[]): Promise<void> {
    await writePrivateFile(this.#file, lines.map((line) => `${line}\n`).join(''), { replace: true })
    this.#lines = lines
  }
}

function bytesOf(line: string): Uint8Array {
  return new Uint8Array(Buffer.from(line, 'base64'))
}

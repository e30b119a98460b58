import { IdentityError, readSecretFile, secretContent, writePrivateFile } from '../identity/index.ts'
import { SealingError } from './errors.ts'
import {
  destroySealingKey,
  generateSealingKey,
  type SealingKey,
  sealingKeyFromSeed,
  seedOfSealingKey
} from './sealing-key.ts'

/** Keys by epoch. */
export interface SealingKeys {
  /** @throws SealingError SEALING_KEY_GONE */
  of(epoch: number): SealingKey
}

/** A key that was replaced, and why it is still here. */
export interface OlderKey {
  readonly key: SealingKey
  /** ms since epoch; undefined: not everything under it is sealed to the present key yet. */
  readonly keepUntilMs?: number
}

interface Entry {
  readonly key: SealingKey
  readonly madeAtMs: number
  readonly keepUntilMs?: number
}

export interface KeyringOptions {
  readonly now?: () => number
  /** The file is under it. @default none: in clear */
  readonly passphrase?: string
}

/** Keys in one file. More than this were never made by us. */
const MAX_KEYS = 64

/**
 * The sealing keys of a node in one file: the one that others seal to now, and those before it that something is still sealed to. Each
 * change is on disk before it counts: a new key before anybody is told of it, and the file without an old key before its secret is
 * forgotten.
 */
export class SealingKeyring implements SealingKeys {
  readonly #path: string
  readonly #now: () => number
  readonly #passphrase: string | undefined
  /** Newest first; never empty. */
  #entries: readonly Entry[]
  /** Epochs that are about to go: taken for what is here, not for what comes in. */
  readonly #retired = new Set<number>()
  /** The same keys for what this node has stored, so also those that are about to go. */
  readonly stored: SealingKeys = { of: (epoch) => this.#find(epoch) }

  private constructor(
    path: string,
    entries: readonly Entry[],
    { now = Date.now, passphrase }: KeyringOptions
  ) {
    this.#path = path
    this.#entries = entries
    this.#now = now
    this.#passphrase = passphrase
  }

  /**
   * Reads the file (mode 0600), or makes it with a key of epoch 1. A file in clear is put under the passphrase when there is one.
   * @throws IdentityError IDENTITY_FILE_UNSAFE, IDENTITY_FILE_UNWRITABLE, PASSPHRASE_NEEDED, PASSPHRASE_WRONG; SealingError SEALING_KEY_INVALID
   */
  static async open(path: string, options: KeyringOptions = {}): Promise<SealingKeyring> {
    const { now = Date.now, passphrase } = options
    const read = async () => {
      const { text, encrypted } = await readSecretFile(path, async () => passphrase)
      const keys = new SealingKeyring(path, await parseEntries(text, now()), options)
      const outdated = !('keys' in parseJson(text)) // the first form of the file does not know its age
      if (outdated || (passphrase !== undefined && !encrypted)) await keys.#write(keys.#entries)
      return keys
    }
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof IdentityError) || error.code !== 'IDENTITY_FILE_MISSING') throw error
    }
    const first = { key: await generateSealingKey({ epoch: 1 }), madeAtMs: now() }
    try {
      await writePrivateFile(path, await secretContent(serialise([first]), passphrase))
      return new SealingKeyring(path, [first], options)
    } catch (error) {
      if (!(error instanceof IdentityError) || error.code !== 'IDENTITY_FILE_EXISTS') throw error
      return read() // because another process was quicker
    }
  }

  /** What others seal to. */
  get current(): SealingKey {
    return this.#entries[0]!.key
  }

  /** When the present key was made, ms since epoch. */
  get madeAtMs(): number {
    return this.#entries[0]!.madeAtMs
  }

  /** Those before it, oldest first. */
  get older(): readonly OlderKey[] {
    return this.#entries.slice(1).reverse()
  }

  of(epoch: number): SealingKey {
    if (this.#retired.has(epoch)) throw gone(epoch, this.current.epoch)
    return this.#find(epoch)
  }

  /** Puts a new key in place of the present one, which is kept. @returns the new one, which is on disk */
  async rotate(): Promise<SealingKey> {
    const key = await generateSealingKey({ epoch: this.current.epoch + 1 })
    await this.#write([{ key, madeAtMs: this.#now() }, ...this.#entries])
    return key
  }

  /** Writes down until when an older key stays. */
  async keepUntil(epoch: number, keepUntilMs: number): Promise<void> {
    await this.#write(
      this.#entries.map((entry) => (entry.key.epoch === epoch ? { ...entry, keepUntilMs } : entry))
    )
  }

  /** From now on nothing new is opened with an older key; what is stored still is. */
  retire(epoch: number): void {
    if (epoch !== this.current.epoch) this.#retired.add(epoch)
  }

  /** Forgets an older key, on disk first. Whatever is still sealed to it is lost. */
  async destroy(epoch: number): Promise<void> {
    if (epoch === this.current.epoch)
      throw new SealingError('SEALING_KEY_INVALID', 'the present sealing key cannot be destroyed')
    const entry = this.#entries.find(({ key }) => key.epoch === epoch)
    if (entry === undefined) return
    await this.#write(this.#entries.filter((one) => one !== entry))
    destroySealingKey(entry.key)
    this.#retired.delete(epoch)
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    const content = await secretContent(serialise(entries), this.#passphrase)
    await writePrivateFile(this.#path, content, { replace: true })
    this.#entries = entries
  }

  #find(epoch: number): SealingKey {
    const entry = this.#entries.find(({ key }) => key.epoch === epoch)
    if (entry === undefined) throw gone(epoch, this.current.epoch)
    return entry.key
  }
}

function gone(epoch: number, current: number): SealingError {
  return new SealingError(
    'SEALING_KEY_GONE',
    `this was sealed to key ${epoch} of this node, which it does not have any more; its key is ${current} now`,
    {
      details: { epoch, current },
      retryable: true,
      hint: 'Apply again: the command asks for the present key of the node.'
    }
  )
}

/** One line of JSON. Secret. */
function serialise(entries: readonly Entry[]): string {
  const keys = entries.map(({ key, madeAtMs, keepUntilMs }) => ({
    epoch: key.epoch,
    seed: Buffer.from(seedOfSealingKey(key)).toString('base64'),
    madeAtMs,
    keepUntilMs
  }))
  return `${JSON.stringify({ kem: 'x-wing', keys })}\n`
}

/** @throws SealingError SEALING_KEY_INVALID */
async function parseEntries(text: string, nowMs: number): Promise<Entry[]> {
  const file = parseJson(text)
  // the first form of the file was one key, whose age counts from now on
  const keys: unknown = file.keys ?? [{ ...file, madeAtMs: nowMs }]
  if (file.kem !== 'x-wing' || !Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS)
    throw invalid()
  const entries = await Promise.all(keys.map(parseEntry))
  const epochs = entries.map(({ key }) => key.epoch)
  if (epochs.some((epoch, index) => index > 0 && epoch >= epochs[index - 1]!)) throw invalid()
  return entries
}

async function parseEntry(value: unknown): Promise<Entry> {
  const { epoch, seed, madeAtMs, keepUntilMs } = { ...(value as object) } as Record<string, unknown>
  if (typeof epoch !== 'number' || typeof seed !== 'string' || typeof madeAtMs !== 'number') throw invalid()
  if (keepUntilMs !== undefined && typeof keepUntilMs !== 'number') throw invalid()
  const key = await sealingKeyFromSeed(Buffer.from(seed, 'base64'), { epoch })
  return { key, madeAtMs, keepUntilMs }
}

function parseJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch (cause) {
    throw new SealingError('SEALING_KEY_INVALID', 'a sealing key file holds JSON', { cause })
  }
}

function invalid(): SealingError {
  return new SealingError(
    'SEALING_KEY_INVALID',
    'a sealing key file holds {"kem":"x-wing","keys":[{"epoch":…,"seed":"…","madeAtMs":…}]}, newest first'
  )
}

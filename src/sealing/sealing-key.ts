import { randomBytes } from 'node:crypto'
import { loadOrCreate, readPrivateFile, writePrivateFile } from '../identity/index.ts'
import { SealingError } from './errors.ts'
import { publicKeyOfSeed, SEED_BYTES } from './kem.ts'

/** A node's (or an asker's) X-Wing key: others seal to it, its holder opens. Has nothing to do with the identity key. */
export interface SealingKey {
  /** Grows by one with every rotation; names the key in statements and sealed keys. */
  readonly epoch: number
  /** Uint8Array(1216) */
  readonly publicKey: Uint8Array
}

/** Seeds by key object, so that a SealingKey that is printed or logged does not carry its secret. */
const seeds = new WeakMap<SealingKey, Uint8Array>()

/** A new key from the system's randomness. */
export function generateSealingKey(options: { readonly epoch: number }): Promise<SealingKey> {
  return sealingKeyFromSeed(new Uint8Array(randomBytes(SEED_BYTES)), options)
}

/** The key of a seed. @param seed Uint8Array(32), copied @throws SealingError SEALING_KEY_INVALID */
export async function sealingKeyFromSeed(
  seed: Uint8Array,
  { epoch }: { readonly epoch: number }
): Promise<SealingKey> {
  if (seed.byteLength !== SEED_BYTES)
    throw new SealingError(
      'SEALING_KEY_INVALID',
      `an X-Wing seed has ${SEED_BYTES} bytes, got ${seed.byteLength}`
    )
  if (!Number.isSafeInteger(epoch) || epoch < 0)
    throw new SealingError('SEALING_KEY_INVALID', `a sealing epoch is a whole number from 0, got ${epoch}`)
  const own = Uint8Array.from(seed)
  const key: SealingKey = Object.freeze({ epoch, publicKey: await publicKeyOfSeed(own) })
  seeds.set(key, own)
  return key
}

/** The key as the text of its file, one line of JSON. Secret. */
export function serialiseSealingKey(key: SealingKey): string {
  const seed = Buffer.from(seedOfSealingKey(key)).toString('base64')
  return `${JSON.stringify({ kem: 'x-wing', epoch: key.epoch, seed })}\n`
}

/** @param text as {@link serialiseSealingKey} made it @throws SealingError SEALING_KEY_INVALID */
export async function parseSealingKey(text: string): Promise<SealingKey> {
  const value = parseJson(text)
  if (value.kem !== 'x-wing' || typeof value.epoch !== 'number' || typeof value.seed !== 'string')
    throw new SealingError(
      'SEALING_KEY_INVALID',
      'a sealing key file holds {"kem":"x-wing","epoch":…,"seed":"…"}'
    )
  return sealingKeyFromSeed(Buffer.from(value.seed, 'base64'), { epoch: value.epoch })
}

/** Reads a key file (mode 0600). @throws IdentityError IDENTITY_FILE_MISSING, IDENTITY_FILE_UNSAFE; SealingError SEALING_KEY_INVALID */
export async function loadSealingKey(path: string): Promise<SealingKey> {
  return parseSealingKey(await readPrivateFile(path))
}

/** Reads the key, or makes one of epoch 1 when the file is missing. @throws as {@link loadSealingKey} */
export async function loadOrCreateSealingKey(path: string): Promise<{ key: SealingKey; created: boolean }> {
  const { value, created } = await loadOrCreate(path, loadSealingKey, async () => {
    const key = await generateSealingKey({ epoch: 1 })
    return { value: key, content: serialiseSealingKey(key) }
  })
  return { key: value, created }
}

/** Writes the key file in one step, in place of an older one. @throws IdentityError IDENTITY_FILE_UNWRITABLE */
export async function saveSealingKey(path: string, key: SealingKey): Promise<void> {
  await writePrivateFile(path, serialiseSealingKey(key), { replace: true })
}

/** Forgets the secret of a key that is not needed any more; opening with it fails from then on. Best effort: JavaScript may hold copies. */
export function destroySealingKey(key: SealingKey): void {
  seeds.get(key)?.fill(0)
  seeds.delete(key)
}

/** @internal Uint8Array(32), not a copy. @throws SealingError SEALING_KEY_INVALID after {@link destroySealingKey} */
export function seedOfSealingKey(key: SealingKey): Uint8Array {
  const seed = seeds.get(key)
  if (seed === undefined)
    throw new SealingError('SEALING_KEY_INVALID', 'the secret of this sealing key is not here')
  return seed
}

function parseJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch (cause) {
    throw new SealingError('SEALING_KEY_INVALID', 'a sealing key file holds JSON', { cause })
  }
}

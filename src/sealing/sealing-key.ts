import { randomBytes } from 'node:crypto'
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

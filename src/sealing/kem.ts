import type { KemInterface } from '@hpke/common'
import { hasNativeXWing, NativeXWing, nativePublicKey } from './native-x-wing.ts'

/** Sizes of X-Wing (draft-connolly-cfrg-xwing-kem). */
export const SEED_BYTES = 32
export const SEALING_PUBLIC_KEY_BYTES = 1216
export const ENC_BYTES = 1120

let kem: Promise<KemInterface> | undefined

/** The X-Wing to use here: Node's own ML-KEM when it has one, else JavaScript, loaded only then. */
export function xWing(): Promise<KemInterface> {
  kem ??= hasNativeXWing() ? Promise.resolve(new NativeXWing()) : javascriptXWing()
  return kem
}

/** Uint8Array(1216) @param seed Uint8Array(32) */
export async function publicKeyOfSeed(seed: Uint8Array): Promise<Uint8Array> {
  if (hasNativeXWing()) return nativePublicKey(seed)
  const { XWing } = await import('@hpke/hybridkem-x-wing')
  const implementation = new XWing()
  const { publicKey } = await implementation.generateKeyPairDerand(Uint8Array.from(seed))
  return new Uint8Array(await implementation.serializePublicKey(publicKey))
}

async function javascriptXWing(): Promise<KemInterface> {
  const { XWing } = await import('@hpke/hybridkem-x-wing')
  return new XWing()
}

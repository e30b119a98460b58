import { createCipheriv, createDecipheriv } from 'node:crypto'
import { concat } from '../common/index.ts'

export const GCM_KEY_BYTES = 32
export const GCM_NONCE_BYTES = 12
export const GCM_TAG_BYTES = 16

interface GcmInput {
  /** Uint8Array(32) */
  readonly key: Uint8Array
  /** Uint8Array(12), never twice with one key. */
  readonly nonce: Uint8Array
  readonly aad: Uint8Array
}

/** AES-256-GCM: ciphertext, then the 16 byte tag. */
export function gcmEncrypt({ key, nonce, aad }: GcmInput, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: GCM_TAG_BYTES })
  cipher.setAAD(aad)
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** The plaintext, or undefined when anything was changed. @param sealed ciphertext and 16 byte tag */
export function gcmDecrypt({ key, nonce, aad }: GcmInput, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.byteLength < GCM_TAG_BYTES) return undefined
  const tagAt = sealed.byteLength - GCM_TAG_BYTES
  // because without authTagLength Node accepts a tag of 4 bytes, which is forged in 2^32 tries
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: GCM_TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(tagAt))
  const released = decipher.update(sealed.subarray(0, tagAt))
  try {
    return concat(released, decipher.final())
  } catch {
    return undefined
  } finally {
    released.fill(0)
  }
}

/**
 * Keeping secrets from those who carry them: manifests encrypted once, their content keys sealed to single nodes,
 * answers sealed to the asker.
 *
 * Apart from the rest so that all encryption can be read in one place, and all of it is pure but for randomness and
 * the sealing keys' file. It never decides to whom something may be sealed or opened (trust/), and does no network I/O.
 *
 * @example
 * const keys = await SealingKeyring.open('/var/lib/beemesh/sealing.key')
 * const encrypted = encryptManifest({ plaintext, networkId, owner, manifestId, version })
 * const sealed = await sealContentKey({ ...encrypted, networkId, owner, manifestId, version, recipient, sealingPublicKey })
 */
export * from './content-key.ts'
export * from './errors.ts'
export { openWith, type Sealed, sealTo } from './hpke.ts'
export { ENC_BYTES, SEALING_PUBLIC_KEY_BYTES } from './kem.ts'
export { type OlderKey, SealingKeyring, type SealingKeys } from './keyring.ts'
export { hasNativeXWing } from './native-x-wing.ts'
export { openReleased, type ReleaseContext, sealReleased } from './release.ts'
export {
  createReplyKeyPair,
  createReplyOpener,
  createReplySealer,
  type ReplyContext,
  type ReplyOpener,
  type ReplySealer
} from './reply-channel.ts'
export {
  OLD_KEY_GRACE_MS,
  type Resealer,
  SealingKeyRotation,
  type SealingKeyRotationInit
} from './rotation.ts'
export { destroySealingKey, generateSealingKey, type SealingKey, sealingKeyFromSeed } from './sealing-key.ts'
export * from './shares.ts'

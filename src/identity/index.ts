/**
 * Who somebody is: Ed25519 keys on disk, peer IDs, and which network one belongs to.
 *
 * Apart from the rest because everybody needs it, the quick CLI too: it loads neither libp2p nor FlatBuffers.
 * It never decides what an identity may do (trust/) and never opens a connection.
 *
 * @example
 * const { key } = await loadOrCreateSigningKey('/var/lib/beemesh/identity.key')
 * const network = openNetwork('playground')
 * console.log(key.peerId, networkTag(network))
 */
export { isEncryptedText } from './encrypted-text.ts'
export * from './errors.ts'
export * from './network.ts'
export * from './peer-id.ts'
export { loadOrCreate, readPrivateFile, writeFileAtomic, writePrivateFile } from './private-file.ts'
export {
  changeSecretFile,
  checkedPassphrase,
  givenPassphrase,
  type PassphraseSource,
  readSecretFile,
  type SecretText,
  secretContent
} from './secret-file.ts'
export * from './signing-key.ts'

import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { concat, equalBytes, utf8 } from '../common/index.ts'
import { IdentityError } from './errors.ts'
import { peerIdFromPublicKey } from './peer-id.ts'
import { loadOrCreate } from './private-file.ts'
import { type PassphraseSource, readSecretFile, secretContent } from './secret-file.ts'

/** An Ed25519 identity that can sign. The secret cannot be read from it. */
export interface SigningKey {
  /** Uint8Array(32). Do not change it. */
  readonly publicKey: Uint8Array
  /** 12D3Koo… */
  readonly peerId: string
  /** Uint8Array(64), deterministic. Signs exactly these bytes: callers put a domain tag in front. */
  sign(bytes: Uint8Array): Uint8Array
}

/** DER of a PKCS #8 Ed25519 private key up to the 32 byte seed (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
/** libp2p PrivateKey protobuf: type 1 = Ed25519, 64 bytes of data (seed, public key). */
const PROTOBUF_PREFIX = Uint8Array.of(0x08, 0x01, 0x12, 0x40)
const PROTOBUF_BYTES = 68

/** Seeds by key object, so that a SigningKey that is printed, cloned or logged does not carry its secret. */
const seeds = new WeakMap<SigningKey, Uint8Array>()

/** A new identity from the system's randomness. */
export function generateSigningKey(): SigningKey {
  return signingKeyFromSeed(randomBytes(32))
}

/** The identity of a seed. @param seed Uint8Array(32), copied @throws IdentityError IDENTITY_KEY_INVALID */
export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  if (seed.byteLength !== 32)
    throw new IdentityError('IDENTITY_KEY_INVALID', `an Ed25519 seed has 32 bytes, got ${seed.byteLength}`)
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8'
  })
  const publicKey = rawPublicKey(privateKey)
  const key: SigningKey = {
    publicKey,
    peerId: peerIdFromPublicKey(publicKey),
    sign: (bytes) => new Uint8Array(sign(null, bytes, privateKey))
  }
  seeds.set(key, Uint8Array.from(seed))
  return Object.freeze(key)
}

/** libp2p's protobuf of the private key, Uint8Array(68): give it to `privateKeyFromProtobuf`. Secret. */
export function toLibp2pPrivateKeyBytes(key: SigningKey): Uint8Array {
  return concat(PROTOBUF_PREFIX, seedOf(key), key.publicKey)
}

/** @param bytes Uint8Array(68) @throws IdentityError IDENTITY_KEY_INVALID also when seed and public key disagree */
export function signingKeyFromLibp2pBytes(bytes: Uint8Array): SigningKey {
  const prefixed = PROTOBUF_PREFIX.every((byte, index) => bytes[index] === byte)
  if (bytes.byteLength !== PROTOBUF_BYTES || !prefixed)
    throw new IdentityError('IDENTITY_KEY_INVALID', 'these bytes are not a libp2p Ed25519 private key')
  const key = signingKeyFromSeed(bytes.subarray(4, 36))
  if (!equalBytes(key.publicKey, bytes.subarray(36)))
    throw new IdentityError(
      'IDENTITY_KEY_INVALID',
      'the public key in these bytes does not belong to the private one'
    )
  return key
}

/**
 * A secret that only the holder of this key can compute, Uint8Array(32): HKDF-SHA256 of the seed with the info
 * "beemesh.v1/" + label and no salt. The same label gives the same secret for ever.
 * @throws IdentityError IDENTITY_KEY_UNSUPPORTED for a key that was not made by this folder
 */
export function deriveSecret(key: SigningKey, label: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', seedOf(key), new Uint8Array(0), utf8(`beemesh.v1/${label}`), 32))
}

/**
 * Reads an identity: base64 of libp2p's protobuf, one line, mode 0600; or that under a passphrase.
 * @param passphrase asked only when the file is encrypted
 * @throws IdentityError IDENTITY_FILE_MISSING, IDENTITY_FILE_UNSAFE, IDENTITY_FILE_INVALID, PASSPHRASE_NEEDED, PASSPHRASE_WRONG
 */
export async function loadSigningKey(path: string, passphrase?: PassphraseSource): Promise<SigningKey> {
  const text = (await readSecretFile(path, passphrase)).text.trim()
  try {
    return signingKeyFromLibp2pBytes(Buffer.from(text, 'base64'))
  } catch (cause) {
    throw new IdentityError('IDENTITY_FILE_INVALID', `${path} does not hold an Ed25519 identity`, {
      cause,
      details: { path },
      hint: 'restore it from a copy, or move it away to get a new identity'
    })
  }
}

/**
 * Reads the identity, or makes one when the file is missing.
 * @param options.passphrase asked when the file is encrypted
 * @param options.encryptNew what a new file is put under @default nothing
 * @throws as {@link loadSigningKey}, and IDENTITY_FILE_UNWRITABLE
 */
export async function loadOrCreateSigningKey(
  path: string,
  { passphrase, encryptNew }: { readonly passphrase?: PassphraseSource; readonly encryptNew?: string } = {}
): Promise<{ key: SigningKey; created: boolean }> {
  const load = (from: string) => loadSigningKey(from, passphrase)
  const { value, created } = await loadOrCreate(path, load, async () => {
    const key = generateSigningKey()
    return { value: key, content: await secretContent(signingKeyText(key), encryptNew) }
  })
  return { key: value, created }
}

/** What the file of an identity holds. Secret. */
export function signingKeyText(key: SigningKey): string {
  return `${Buffer.from(toLibp2pPrivateKeyBytes(key)).toString('base64')}\n`
}

function seedOf(key: SigningKey): Uint8Array {
  const seed = seeds.get(key)
  if (seed === undefined)
    throw new IdentityError('IDENTITY_KEY_UNSUPPORTED', 'this signing key does not give access to its seed')
  return seed
}

function rawPublicKey(privateKey: KeyObject): Uint8Array {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return Uint8Array.from(spki.subarray(-32))
}

/**
 * X-Wing (draft-connolly-cfrg-xwing-kem: ML-KEM-768 with X25519) over node:crypto, for the HPKE of @hpke/core. Same
 * bytes as @hpke/hybridkem-x-wing, about 7 times faster (facts/mesh.md section 5). Needs Node 24's ML-KEM.
 */
import crypto, { type KeyObject, type webcrypto } from 'node:crypto'
import {
  DecapError,
  DeserializeError,
  EncapError,
  isCryptoKeyPair,
  KemId,
  type KemInterface,
  NotSupportedError,
  type RecipientContextParams,
  type SenderContextParams,
  toArrayBuffer,
  XCryptoKey
} from '@hpke/common'
import { concat } from '../common/index.ts'

type CryptoKey = webcrypto.CryptoKey
type CryptoKeyPair = webcrypto.CryptoKeyPair

const NAME = 'X-Wing'
const SEED_BYTES = 32
const ML_KEM_PUBLIC_BYTES = 1184
const ML_KEM_CIPHERTEXT_BYTES = 1088
const PUBLIC_BYTES = ML_KEM_PUBLIC_BYTES + 32
const ENC_BYTES = ML_KEM_CIPHERTEXT_BYTES + 32
/** The six bytes \.//^\ that end the combiner's input. */
const LABEL = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c)

/** DER up to the raw key; ML-KEM in its 64 byte seed form. Source: facts/mesh.md section 5. */
const ML_KEM_PKCS8 = Buffer.from('3054020100300b060960864801650304040204428040', 'hex')
const ML_KEM_SPKI = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex')
const X25519_PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const X25519_SPKI = Buffer.from('302a300506032b656e032100', 'hex')

interface ExpandedKey {
  readonly mlKem: KeyObject
  readonly x25519: KeyObject
  readonly publicKey: Uint8Array
}

/** Whether this Node has what {@link NativeXWing} needs. */
export function hasNativeXWing(): boolean {
  return typeof crypto.encapsulate === 'function' && typeof crypto.decapsulate === 'function'
}

/** Base mode only. `CryptoKey`s are XCryptoKey objects that hold raw bytes. */
export class NativeXWing implements KemInterface {
  readonly id = KemId.XWing
  readonly name = NAME
  readonly secretSize = 32
  readonly encSize = ENC_BYTES
  readonly publicKeySize = PUBLIC_BYTES
  readonly privateKeySize = SEED_BYTES
  /** Expanding a seed costs as much as using it, so it happens once per key. */
  readonly #expanded = new WeakMap<CryptoKey, ExpandedKey>()

  async serializePublicKey(key: CryptoKey): Promise<ArrayBuffer> {
    return toArrayBuffer(Uint8Array.from(rawBytes(key, 'public')))
  }

  async deserializePublicKey(key: ArrayBufferLike | ArrayBufferView): Promise<CryptoKey> {
    return new XCryptoKey(NAME, exactly(key, PUBLIC_BYTES), 'public')
  }

  async serializePrivateKey(key: CryptoKey): Promise<ArrayBuffer> {
    return toArrayBuffer(Uint8Array.from(rawBytes(key, 'private')))
  }

  async deserializePrivateKey(key: ArrayBufferLike | ArrayBufferView): Promise<CryptoKey> {
    return new XCryptoKey(NAME, exactly(key, SEED_BYTES), 'private', ['deriveBits'])
  }

  async importKey(
    format: 'raw' | 'jwk',
    key: ArrayBuffer | webcrypto.JsonWebKey,
    isPublic = true
  ): Promise<CryptoKey> {
    if (format !== 'raw' || !(key instanceof ArrayBuffer))
      throw new NotSupportedError('only raw keys are imported')
    return isPublic ? this.deserializePublicKey(key) : this.deserializePrivateKey(key)
  }

  async generateKeyPair(): Promise<CryptoKeyPair> {
    return this.#pair(new Uint8Array(crypto.randomBytes(SEED_BYTES)))
  }

  /** As @hpke/hybridkem-x-wing: SHAKE-256 of the input keying material is the seed. */
  async deriveKeyPair(ikm: ArrayBufferLike | ArrayBufferView): Promise<CryptoKeyPair> {
    return this.#pair(shake256(new Uint8Array(toArrayBuffer(ikm)), SEED_BYTES))
  }

  async encap(params: SenderContextParams): Promise<{ sharedSecret: ArrayBuffer; enc: ArrayBuffer }> {
    if (params.ekm !== undefined)
      throw new NotSupportedError('native ML-KEM takes no randomness from outside')
    try {
      const publicKey = rawBytes(params.recipientPublicKey, 'public')
      const mlKem = publicKeyObject(ML_KEM_SPKI, publicKey.subarray(0, ML_KEM_PUBLIC_BYTES))
      const theirs = publicKey.subarray(ML_KEM_PUBLIC_BYTES)
      const ephemeral = crypto.generateKeyPairSync('x25519')
      const ctX = rawPublic(ephemeral.publicKey, 32)
      const ssX = crypto.diffieHellman({
        privateKey: ephemeral.privateKey,
        publicKey: publicKeyObject(X25519_SPKI, theirs)
      })
      const { sharedKey, ciphertext } = crypto.encapsulate(mlKem)
      return {
        sharedSecret: toArrayBuffer(combine(sharedKey, ssX, ctX, theirs)),
        enc: toArrayBuffer(concat(ciphertext, ctX))
      }
    } catch (cause) {
      throw new EncapError(cause)
    }
  }

  async decap(params: RecipientContextParams): Promise<ArrayBuffer> {
    try {
      const enc = exactly(params.enc, ENC_BYTES)
      const { recipientKey } = params
      const { mlKem, x25519, publicKey } = this.#expand(
        isCryptoKeyPair(recipientKey) ? recipientKey.privateKey : recipientKey
      )
      const ctX = enc.subarray(ML_KEM_CIPHERTEXT_BYTES)
      const ssM = crypto.decapsulate(mlKem, enc.subarray(0, ML_KEM_CIPHERTEXT_BYTES))
      const ssX = crypto.diffieHellman({ privateKey: x25519, publicKey: publicKeyObject(X25519_SPKI, ctX) })
      return toArrayBuffer(combine(ssM, ssX, ctX, publicKey.subarray(ML_KEM_PUBLIC_BYTES)))
    } catch (cause) {
      throw new DecapError(cause)
    }
  }

  #pair(seed: Uint8Array): CryptoKeyPair {
    const privateKey = new XCryptoKey(NAME, seed, 'private', ['deriveBits'])
    const publicKey = new XCryptoKey(NAME, this.#expand(privateKey).publicKey, 'public')
    return { privateKey, publicKey }
  }

  #expand(key: CryptoKey): ExpandedKey {
    const known = this.#expanded.get(key)
    if (known !== undefined) return known
    const expanded = expandSeed(rawBytes(key, 'private'))
    this.#expanded.set(key, expanded)
    return expanded
  }
}

/** The public key of a seed, Uint8Array(1216). @param seed Uint8Array(32) */
export function nativePublicKey(seed: Uint8Array): Uint8Array {
  return expandSeed(seed).publicKey
}

function expandSeed(seed: Uint8Array): ExpandedKey {
  const secret = shake256(seed, 96)
  const mlKem = privateKeyObject(ML_KEM_PKCS8, secret.subarray(0, 64))
  const x25519 = privateKeyObject(X25519_PKCS8, secret.subarray(64))
  secret.fill(0)
  const publicKey = concat(
    rawPublic(crypto.createPublicKey(mlKem), ML_KEM_PUBLIC_BYTES),
    rawPublic(crypto.createPublicKey(x25519), 32)
  )
  return { mlKem, x25519, publicKey }
}

function combine(ssM: Uint8Array, ssX: Uint8Array, ctX: Uint8Array, pkX: Uint8Array): Uint8Array {
  const hash = crypto.createHash('sha3-256').update(ssM).update(ssX).update(ctX).update(pkX).update(LABEL)
  return new Uint8Array(hash.digest())
}

function shake256(input: Uint8Array, outputLength: number): Uint8Array {
  return new Uint8Array(crypto.createHash('shake256', { outputLength }).update(input).digest())
}

function privateKeyObject(prefix: Buffer, raw: Uint8Array): KeyObject {
  return crypto.createPrivateKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'pkcs8' })
}

function publicKeyObject(prefix: Buffer, raw: Uint8Array): KeyObject {
  return crypto.createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' })
}

function rawPublic(key: KeyObject, size: number): Uint8Array {
  return Uint8Array.from(key.export({ format: 'der', type: 'spki' }).subarray(-size))
}

function rawBytes(key: CryptoKey, type: 'public' | 'private'): Uint8Array {
  if (key instanceof XCryptoKey && key.type === type && key.algorithm.name === NAME) return key.key
  throw new DeserializeError(`expected a ${type} ${NAME} key`)
}

function exactly(bytes: ArrayBufferLike | ArrayBufferView, size: number): Uint8Array {
  const own = Uint8Array.from(new Uint8Array(toArrayBuffer(bytes)))
  if (own.byteLength !== size) throw new DeserializeError(`expected ${size} bytes, got ${own.byteLength}`)
  return own
}

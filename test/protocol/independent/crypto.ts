/** Keys, X-Wing and HPKE with node:crypto alone, as docs/PROTOCOL.md sections 1 and 8 describe them. Imports nothing of ours. */
import crypto, { type KeyObject } from 'node:crypto'
import { join } from './flatbuffer.ts'

/** X-Wing by hand needs Node 24's ML-KEM. */
export const hasMlKem = typeof crypto.encapsulate === 'function'

type Parts = readonly (string | Uint8Array)[]
const hash = (name: string, parts: Parts, options = {}): Buffer => {
  const sum = crypto.createHash(name, options)
  return sum.update(join(...parts)).digest()
}
export const sha256 = (...parts: Parts): Buffer => hash('sha256', parts)

export function u64be(value: number): Buffer {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(value))
  return out
}

export const u32be = (value: number): Buffer => u64be(value).subarray(4)

const der = {
  ed25519: ['302e020100300506032b657004220420', '302a300506032b6570032100'],
  x25519: ['302e020100300506032b656e04220420', '302a300506032b656e032100'],
  mlKem768: ['3054020100300b060960864801650304040204428040', '308204b2300b0609608648016503040402038204a100']
} as const
type Algorithm = keyof typeof der

export function secretKey(algorithm: Algorithm, raw: Uint8Array): KeyObject {
  const key = join(Buffer.from(der[algorithm][0], 'hex'), raw)
  return crypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

export function publicKey(algorithm: Algorithm, raw: Uint8Array): KeyObject {
  const key = join(Buffer.from(der[algorithm][1], 'hex'), raw)
  return crypto.createPublicKey({ key, format: 'der', type: 'spki' })
}

export function rawPublic(key: KeyObject, size: number): Buffer {
  const half = key.type === 'private' ? crypto.createPublicKey(key) : key
  return half.export({ format: 'der', type: 'spki' }).subarray(-size)
}

export const multihash = (key: Uint8Array): Buffer => join(Buffer.from('002408011220', 'hex'), key)
export const audience = (key: Uint8Array): Buffer => sha256(multihash(key))

export type XWingKey = ReturnType<typeof xWingKey>

export function xWingKey(seed: Uint8Array) {
  const secret = hash('shake256', [seed], { outputLength: 96 })
  const mlKem = secretKey('mlKem768', secret.subarray(0, 64))
  const x25519 = secretKey('x25519', secret.subarray(64))
  return { mlKem, x25519, publicKey: join(rawPublic(mlKem, 1184), rawPublic(x25519, 32)) }
}

const combine = (...parts: Uint8Array[]): Buffer =>
  hash('sha3-256', [...parts, Buffer.from('5c2e2f2f5e5c', 'hex')])

function decapsulate(key: XWingKey, enc: Uint8Array): Buffer {
  const ctX = enc.subarray(1088)
  const ssM = crypto.decapsulate(key.mlKem, enc.subarray(0, 1088))
  const ssX = crypto.diffieHellman({ privateKey: key.x25519, publicKey: publicKey('x25519', ctX) })
  return combine(ssM, ssX, ctX, key.publicKey.subarray(1184))
}

function encapsulate(to: Uint8Array): { shared: Buffer; enc: Buffer } {
  const pkX = to.subarray(1184)
  const ephemeral = crypto.generateKeyPairSync('x25519')
  const ctX = rawPublic(ephemeral.publicKey, 32)
  const { privateKey } = ephemeral
  const ssX = crypto.diffieHellman({ privateKey, publicKey: publicKey('x25519', pkX) })
  const { sharedKey, ciphertext } = crypto.encapsulate(publicKey('mlKem768', to.subarray(0, 1184)))
  return { shared: combine(sharedKey, ssX, ctX, pkX), enc: join(ciphertext, ctX) }
}

const SUITE = join('HPKE', Buffer.from('647a00010002', 'hex'))
const hmac = (key: Uint8Array, data: Uint8Array) => crypto.createHmac('sha256', key).update(data).digest()
const extract = (salt: Uint8Array, label: string, ikm: Uint8Array) =>
  hmac(salt, join('HPKE-v1', SUITE, label, ikm))
/** One block of HKDF-Expand is enough: nothing here is longer than 32 bytes. */
const expand = (secret: Uint8Array, label: string, context: Uint8Array, size: number) =>
  hmac(secret, join(Uint8Array.of(0, size), 'HPKE-v1', SUITE, label, context, Uint8Array.of(1))).subarray(
    0,
    size
  )

function schedule(shared: Uint8Array, info: Uint8Array): { key: Buffer; nonce: Buffer } {
  const none = new Uint8Array(0)
  const context = join(Uint8Array.of(0), extract(none, 'psk_id_hash', none), extract(none, 'info_hash', info))
  const secret = extract(shared, 'secret', none)
  return { key: expand(secret, 'key', context, 32), nonce: expand(secret, 'base_nonce', context, 12) }
}

type Gcm = Record<'key' | 'nonce' | 'aad', Uint8Array>

export function gcmSeal({ key, nonce, aad }: Gcm, plaintext: Uint8Array): Buffer {
  const cipher = crypto.createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(aad)
  return join(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

export function gcmOpen({ key, nonce, aad }: Gcm, sealed: Uint8Array): Buffer {
  const decipher = crypto.createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(-16))
  return join(decipher.update(sealed.subarray(0, -16)), decipher.final())
}

type Sealing = Record<'info' | 'aad', Uint8Array>

export function hpkeSeal(to: Uint8Array, { info, aad }: Sealing, plaintext: Uint8Array) {
  const { shared, enc } = encapsulate(to)
  return { enc, ciphertext: gcmSeal({ ...schedule(shared, info), aad }, plaintext) }
}

export function hpkeOpen(key: XWingKey, enc: Uint8Array, { info, aad }: Sealing, sealed: Uint8Array): Buffer {
  return gcmOpen({ ...schedule(decapsulate(key, enc), info), aad }, sealed)
}

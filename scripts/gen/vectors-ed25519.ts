/** Keys and signatures that libraries disagree on (crypto.md section 2.2), built from fixed scalars. */
import { createHash } from 'node:crypto'
import { Point } from '@noble/ed25519'
import { concat, toHex, utf8 } from '../../src/common/index.ts'
import { pattern } from './vectors-inputs.ts'

const L = Point.CURVE().n
/** A point of order 8. */
const T8 = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
const IDENTITY = le(1n)
/** y = p + 1, which decodes to the identity when the encoding is not checked. */
const IDENTITY_NOT_CANONICAL = le(2n ** 255n - 19n + 1n)
const ORDER_2 = le(2n ** 255n - 19n - 1n)

interface Vector {
  readonly name: string
  readonly publicKey: string
  readonly message: string
  readonly signature: string
  readonly valid: boolean
}

export function ed25519Vectors(): Record<string, unknown> {
  const a = scalar('private scalar')
  const r = scalar('nonce scalar')
  const A = Point.BASE.multiply(a)
  const R = Point.BASE.multiply(r)
  const mixedA = A.add(T8)
  const mixedR = R.add(T8)
  const any = () => true
  const honest = find(R.toBytes(), A.toBytes(), any)
  const honestS = (r + honest.k * a) % L
  const anyIdentity = find(IDENTITY, IDENTITY, any)
  const order2 = find(R.toBytes(), ORDER_2, (k) => k % 2n === 0n)
  const notCanonicalA = find(R.toBytes(), IDENTITY_NOT_CANONICAL, any)
  const notCanonicalR = find(IDENTITY_NOT_CANONICAL, A.toBytes(), any)
  const cofactoredR = find(mixedR.toBytes(), A.toBytes(), any)
  const cofactoredA = find(R.toBytes(), mixedA.toBytes(), (k) => k % 8n !== 0n)
  const torsionA = find(R.toBytes(), mixedA.toBytes(), (k) => k % 8n === 0n)
  const vectors: Vector[] = [
    vector('an honest signature', A.toBytes(), honest, R.toBytes(), honestS, true),
    vector('A = R = identity, S = 0', IDENTITY, anyIdentity, IDENTITY, 0n),
    vector('A of order 2, k even', ORDER_2, order2, R.toBytes(), r),
    vector('A not canonical (y = p + 1)', IDENTITY_NOT_CANONICAL, notCanonicalA, R.toBytes(), r),
    vector('R not canonical', A.toBytes(), notCanonicalR, IDENTITY_NOT_CANONICAL, (notCanonicalR.k * a) % L),
    vector('S + L', A.toBytes(), honest, R.toBytes(), honestS + L),
    vector(
      'R = rB + T8, valid only with cofactor',
      A.toBytes(),
      cofactoredR,
      mixedR.toBytes(),
      (r + cofactoredR.k * a) % L
    ),
    vector('A + T8, k mod 8 not 0', mixedA.toBytes(), cofactoredA, R.toBytes(), (r + cofactoredA.k * a) % L),
    vector(
      'A + T8, k mod 8 = 0, valid without the key check',
      mixedA.toBytes(),
      torsionA,
      R.toBytes(),
      (r + torsionA.k * a) % L
    )
  ]
  return { 'ed25519-strictness': { vectors } }
}

interface Found {
  readonly message: Uint8Array
  readonly k: bigint
}

/** The first message whose challenge k = SHA-512(R, A, message) mod L is as wanted. */
function find(R: Uint8Array, A: Uint8Array, wanted: (k: bigint) => boolean): Found {
  for (let i = 0; ; i++) {
    const message = utf8(`message ${i}`)
    const k =
      leToBigint(
        createHash('sha512')
          .update(concat(R, A, message))
          .digest()
      ) % L
    if (wanted(k)) return { message, k }
  }
}

function vector(
  name: string,
  A: Uint8Array,
  { message }: Found,
  R: Uint8Array,
  S: bigint,
  valid = false
): Vector {
  return { name, publicKey: toHex(A), message: toHex(message), signature: toHex(concat(R, le(S))), valid }
}

function scalar(label: string): bigint {
  return leToBigint(pattern(label, 64)) % L
}

function le(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse())
}

function leToBigint(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`)
}

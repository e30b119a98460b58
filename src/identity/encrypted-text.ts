import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { IdentityError } from './errors.ts'

/** Begins every encrypted file, so that it is told from one in clear before anything is parsed. */
const MAGIC = '{"beemesh-encrypted":1,'
const AAD_TAG = 'beemesh.v1/at-rest\0'
/** 64 MiB and about 0.3 s. Source: OWASP's password storage cheat sheet, one of its equal choices for scrypt. */
const DEFAULT_COST: Cost = { n: 65_536, r: 8, p: 2 }
/** What a file may ask of whoever opens it: memory is 128 n r bytes. Chosen: four times the default. */
const MAX_MEMORY_BYTES = 256 * 1024 * 1024
const MAX_PARALLEL = 8
const [KEY_BYTES, SALT_BYTES, NONCE_BYTES, TAG_BYTES] = [32, 16, 12, 16]
/** Largest ciphertext read. Chosen: ours have under 2 KiB. */
const MAX_CIPHERTEXT_BYTES = 65_536

/** Parameters of scrypt. */
interface Cost {
  readonly n: number
  readonly r: number
  readonly p: number
}

/** Whether a file's text is one of {@link encryptText}. */
export function isEncryptedText(text: string): boolean {
  return text.startsWith(MAGIC)
}

/** A text under a passphrase: scrypt, AES-256-GCM, one line of JSON that says with which parameters. */
export async function encryptText(text: string, passphrase: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', await keyOf(passphrase, salt, DEFAULT_COST), nonce, {
    authTagLength: TAG_BYTES
  })
  cipher.setAAD(aadOf(DEFAULT_COST, salt))
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  const { n, r, p } = DEFAULT_COST
  const [salt64, nonce64, ciphertext64] = [salt, nonce, ciphertext].map((bytes) => bytes.toString('base64'))
  const fields = { kdf: 'scrypt', n, r, p, salt: salt64, cipher: 'aes-256-gcm', nonce: nonce64 }
  return `${MAGIC}${JSON.stringify({ ...fields, ciphertext: ciphertext64 }).slice(1)}\n`
}

/**
 * The text again.
 * @param where the file, for messages
 * @throws IdentityError PASSPHRASE_WRONG, also when the file was changed; IDENTITY_FILE_INVALID when it is no such file, or asks for more
 * work than any of ours
 */
export async function decryptText(encrypted: string, passphrase: string, where: string): Promise<string> {
  const { cost, salt, nonce, ciphertext } = parse(encrypted, where)
  const key = await keyOf(passphrase, salt, cost)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(aadOf(cost, salt))
  decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES))
  const released = decipher.update(ciphertext.subarray(0, -TAG_BYTES))
  try {
    return Buffer.concat([released, decipher.final()]).toString('utf8')
  } catch {
    throw new IdentityError('PASSPHRASE_WRONG', `the passphrase does not open ${where}`, {
      details: { path: where },
      hint: 'Nothing was changed. If the passphrase is right, the file was damaged: restore it from a copy.'
    })
  }
}

interface Parsed {
  readonly cost: Cost
  readonly salt: Buffer
  readonly nonce: Buffer
  readonly ciphertext: Buffer
}

function parse(encrypted: string, where: string): Parsed {
  const invalid = (why: string, cause?: unknown) =>
    new IdentityError(
      'IDENTITY_FILE_INVALID',
      `${where} is encrypted in a way this version cannot read: ${why}`,
      {
        cause,
        details: { path: where }
      }
    )
  let fields: Record<string, unknown>
  try {
    fields = { ...(JSON.parse(encrypted) as object) }
  } catch (cause) {
    throw invalid('it is no JSON', cause)
  }
  const { kdf, n, r, p, cipher } = fields
  if (kdf !== 'scrypt' || cipher !== 'aes-256-gcm') throw invalid('expected scrypt and aes-256-gcm')
  const cost = { n, r, p } as Cost
  if (![n, r, p].every((value) => Number.isSafeInteger(value) && Number(value) > 0) || !isPowerOfTwo(cost.n))
    throw invalid('n, r and p are not those of scrypt')
  if (128 * cost.n * cost.r > MAX_MEMORY_BYTES || cost.p > MAX_PARALLEL)
    throw invalid('it asks for more work than is done for a file')
  const [salt, nonce, ciphertext] = ['salt', 'nonce', 'ciphertext'].map((name) => {
    const text = fields[name]
    return typeof text === 'string' && text.length <= MAX_CIPHERTEXT_BYTES
      ? Buffer.from(text, 'base64')
      : undefined
  })
  const sized = salt?.byteLength === SALT_BYTES && nonce?.byteLength === NONCE_BYTES
  if (!sized || ciphertext === undefined || ciphertext.byteLength < TAG_BYTES)
    throw invalid('salt, nonce or ciphertext is missing')
  return { cost, salt, nonce, ciphertext }
}

function isPowerOfTwo(n: number): boolean {
  return n > 1 && Number.isInteger(Math.log2(n))
}

function keyOf(passphrase: string, salt: Uint8Array, { n, r, p }: Cost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // because scrypt takes a little more than 128 n r bytes, and Node refuses above 32 MiB unless told
    const options = { N: n, r, p, maxmem: 2 * 128 * n * r }
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error)
    )
  })
}

/** Binds version, parameters and salt, so that none of them can be swapped. */
function aadOf({ n, r, p }: Cost, salt: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${AAD_TAG}1 scrypt ${n} ${r} ${p} aes-256-gcm\0`), salt])
}

import { createHash } from 'node:crypto'
import { utf8 } from '../../src/common/index.ts'
import { encryptManifest } from '../../src/sealing/index.ts'
import { nativePublicKey } from '../../src/sealing/native-x-wing.ts'
import { frameSealer } from '../../src/sealing/reply-channel.ts'
import { hex, MANIFEST_ID, NETWORK, OWNER, pattern, VERSION } from './vectors-inputs.ts'

/** First test vector of draft-connolly-cfrg-xwing-kem, appendix C. */
const X_WING_DRAFT = {
  source: 'draft-connolly-cfrg-xwing-kem, first test vector',
  seed: '7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26',
  encapsulationSeed:
    '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2' +
    '35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2',
  sharedSecret: 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384'
}

export function sealingVectors(): Record<string, unknown> {
  const plaintext = utf8('{"kind":"Deployment"}')
  const key = pattern('content key', 32)
  const nonce = pattern('content nonce', 12)
  const encrypted = encryptManifest({
    plaintext,
    networkId: NETWORK.id,
    owner: OWNER.publicKey,
    manifestId: MANIFEST_ID,
    version: VERSION,
    key,
    nonce
  })
  const answerKey = pattern('answer key', 32)
  const requestId = pattern('request', 32)
  const seal = frameSealer(answerKey, requestId)
  const publicKey = nativePublicKey(Buffer.from(X_WING_DRAFT.seed, 'hex'))
  return {
    'manifest-encryption': {
      plaintext: hex(plaintext),
      networkId: hex(NETWORK.id),
      owner: hex(OWNER.publicKey),
      manifestId: hex(MANIFEST_ID),
      version: VERSION,
      key: hex(key),
      nonce: hex(nonce),
      ciphertext: hex(encrypted.ciphertext),
      digest: hex(encrypted.digest),
      commitment: hex(encrypted.commitment),
      plaintextBytes: encrypted.plaintextBytes
    },
    'reply-frames': {
      key: hex(answerKey),
      requestId: hex(requestId),
      frames: ['first', 'second', 'last'].map((text, sequence) => ({
        sequence,
        last: text === 'last',
        plaintext: hex(utf8(text)),
        body: hex(seal(sequence, text === 'last', utf8(text)))
      }))
    },
    'x-wing': {
      ...X_WING_DRAFT,
      publicKeySha256: createHash('sha256').update(publicKey).digest('hex')
    }
  }
}

import { openEnvelope, openObject, signEnvelope, signObject } from '../../src/envelope/index.ts'
import { encodeApplyRequest, encodeRecord } from '../../src/generated/fbs/index.ts'
import {
  hex,
  MANIFEST_ID,
  NETWORK,
  NODE,
  NODE_AUDIENCE,
  NOW_MS,
  OWNER,
  OWNER_SEED,
  pattern,
  VERSION
} from './vectors-inputs.ts'

export function envelopeVectors(): Record<string, unknown> {
  const fields = {
    manifestId: hex(MANIFEST_ID),
    version: VERSION,
    issuedAt: NOW_MS,
    notAfter: NOW_MS + 86_400_000,
    tombstone: false,
    replicas: 3,
    cpuMillis: 250,
    memoryBytes: 134_217_728,
    cipher: 'aes256gcm',
    kem: 'xwing',
    plaintextBytes: 21,
    ciphertextDigest: hex(pattern('digest', 32)),
    keyCommitment: hex(pattern('commitment', 32))
  } as const
  const body = encodeRecord({
    ...fields,
    manifestId: MANIFEST_ID,
    ciphertextDigest: pattern('digest', 32),
    keyCommitment: pattern('commitment', 32)
  })
  const record = signObject({ kind: 'record', body, key: OWNER, networkId: NETWORK.id })
  const payload = encodeApplyRequest({
    record,
    ciphertext: pattern('ciphertext', 1052),
    sealedKeys: [
      {
        recipient: NODE.publicKey,
        sealingEpoch: 7,
        enc: pattern('enc', 1120),
        ciphertext: pattern('sealed', 48)
      }
    ],
    ordinals: [0, 2],
    replyKey: pattern('reply key', 1216)
  })
  const nonce = pattern('nonce', 16)
  const envelope = signEnvelope({
    type: 'apply',
    payload,
    key: OWNER,
    networkId: NETWORK.id,
    audience: NODE_AUDIENCE,
    nowMs: NOW_MS,
    nonce
  })
  const opened = openEnvelope(envelope, { networkId: NETWORK.id, nowMs: NOW_MS, audience: NODE_AUDIENCE })
  return {
    'signed-record': {
      authorSeed: hex(OWNER_SEED),
      networkId: hex(NETWORK.id),
      record: fields,
      body: hex(body),
      signedObject: hex(record),
      digest: hex(openObject(record, { kind: 'record', networkId: NETWORK.id }).digest)
    },
    'envelope-apply': {
      authorSeed: hex(OWNER_SEED),
      networkId: hex(NETWORK.id),
      audience: hex(NODE_AUDIENCE),
      timestampMs: NOW_MS,
      nonce: hex(nonce),
      type: 'apply',
      payload: hex(payload),
      envelope: hex(envelope),
      id: hex(opened.id)
    }
  }
}

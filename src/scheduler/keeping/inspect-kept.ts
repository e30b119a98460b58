import { createHash } from 'node:crypto'
import { equalBytes } from '../../common/index.ts'
import type { HeldVersionInit } from '../../generated/fbs/index.ts'
import { decryptManifest, openContentKey } from '../../sealing/index.ts'
import type { Kept, World } from '../types.ts'

/**
 * What a keeper or holder has of a manifest, as `inspect` shows it to the owner. One that stands by with the content key opens the
 * document for the answer, so that what it can read is shown and not claimed.
 */
export async function inspectKept(kept: Kept, world: World): Promise<HeldVersionInit> {
  const { record, bundle } = kept
  const self = world.key.publicKey
  const own = bundle.sealedKeys.find(({ recipient }) => equalBytes(recipient, self))
  const document = await documentOf(kept, world).catch(() => undefined) // because what does not open it cannot read
  return {
    manifestId: record.manifestId,
    record: bundle.record,
    ciphertextBytes: bundle.ciphertext?.byteLength ?? 0,
    sealingEpoch: own?.sealingEpoch ?? 0,
    documentBytes: document?.byteLength ?? 0,
    documentDigest: document && new Uint8Array(createHash('sha256').update(document).digest()),
    shares: bundle.sealedShares.filter(({ recipient }) => equalBytes(recipient, self)).length
  }
}

async function documentOf({ record, bundle }: Kept, world: World): Promise<Uint8Array | undefined> {
  const recipient = world.key.publicKey
  const own = bundle.sealedKeys.find((one) => equalBytes(one.recipient, recipient))
  const { manifestId, version, owner, plaintextBytes } = record
  const { keyCommitment: commitment, ciphertextDigest: digest } = record
  const { ciphertext } = bundle
  if (own === undefined || ciphertext === undefined || commitment === undefined || digest === undefined)
    return undefined
  const about = { networkId: world.networkId, owner, manifestId, version, commitment }
  const { enc, ciphertext: wrapped, sealingEpoch } = own
  const sealingKey = world.sealingKey(sealingEpoch)
  const key = await openContentKey({ ...about, recipient, sealingKey, enc, ciphertext: wrapped })
  const document = decryptManifest({ ...about, digest, plaintextBytes, key, ciphertext })
  key.fill(0)
  return document
}

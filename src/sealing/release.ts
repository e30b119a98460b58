import { concat, u64be, utf8 } from '../common/index.ts'
import { peerIdMultihash } from '../identity/index.ts'
import type { ManifestContext } from './content-key.ts'
import { openWith, type Sealed, sealTo } from './hpke.ts'
import type { SealingKey } from './sealing-key.ts'

const RELEASE_TAG = utf8('beemesh.v1/release\0')

/** What is given by whom to whom: bound into the sealing, so that it opens for nothing else. */
export interface ReleaseContext extends ManifestContext {
  /** Uint8Array(32), the identity of the node that gives it. */
  readonly releaser: Uint8Array
  /** Uint8Array(32), the identity of the node that asked. */
  readonly recipient: Uint8Array
  /** Of the share; 0: the whole key. */
  readonly index: number
}

/** Seals a content key or a share to the node that is to run a copy. @throws SealingError SEALING_KEY_INVALID */
export function sealReleased(
  options: ReleaseContext & { readonly secret: Uint8Array; readonly sealingPublicKey: Uint8Array }
): Promise<Sealed> {
  return sealTo(options.sealingPublicKey, { ...binding(options), plaintext: options.secret })
}

/** @returns key or share, not compared with any commitment yet @throws SealingError OPEN_FAILED */
export function openReleased(
  options: ReleaseContext & Sealed & { readonly sealingKey: SealingKey }
): Promise<Uint8Array> {
  const { enc, ciphertext, sealingKey } = options
  return openWith(sealingKey, { ...binding(options), enc, ciphertext })
}

function binding({ networkId, owner, manifestId, version, releaser, recipient, index }: ReleaseContext) {
  return {
    info: concat(RELEASE_TAG, networkId, owner, peerIdMultihash(releaser), peerIdMultihash(recipient)),
    aad: concat(manifestId, u64be(version), Uint8Array.of(index))
  }
}

import { concat, utf8 } from '../../common/index.ts'
import { verifyStrict } from '../../envelope/index.ts'
import type { SigningKey } from '../../identity/index.ts'

const TAG = utf8('beemesh.v1/alive\0')

export interface ProofOf {
  readonly networkId: Uint8Array
  /** Uint8Array(32), public key: whom it is for. */
  readonly asker: Uint8Array
  /** Uint8Array(16), the asker's. */
  readonly challenge: Uint8Array
}

/** "I am there", for an asker that only somebody else can reach: whoever carries it can lose it, not make it. Uint8Array(64) */
export function signProof(key: SigningKey, of: ProofOf): Uint8Array {
  return key.sign(bytesOf(of))
}

/** @param target Uint8Array(32), public key of whoever is said to be there */
export function isProof(proof: Uint8Array, target: Uint8Array, of: ProofOf): boolean {
  return verifyStrict(target, bytesOf(of), proof)
}

function bytesOf({ networkId, asker, challenge }: ProofOf): Uint8Array {
  return concat(TAG, networkId, asker, challenge)
}

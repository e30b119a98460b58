import { ENVELOPE } from '../generated/fbs/index.ts'
import { decodeHeader } from './header.ts'
import { decode } from './verifier.ts'

/**
 * Author and nonce that a frame claims, when it has the form of one: enough to address a refusal, nothing is proven.
 * undefined for everything else.
 */
export function peekEnvelope(frame: Uint8Array): { author: Uint8Array; nonce: Uint8Array } | undefined {
  try {
    const { author, nonce } = decodeHeader(decode(ENVELOPE, frame).header)
    return { author, nonce }
  } catch {
    return undefined // because whoever sent it cannot be told in an envelope of ours
  }
}

import { ENVELOPE } from '../generated/fbs/index.ts'
import { decode } from './verifier.ts'

/**
 * Author and nonce that a frame claims, whatever version or type it has: enough to address a refusal, nothing is proven.
 * undefined when the frame is no envelope.
 */
export function peekEnvelope(frame: Uint8Array): { author: Uint8Array; nonce: Uint8Array } | undefined {
  try {
    const { header } = decode(ENVELOPE, frame)
    return { author: header.slice(8, 40), nonce: header.slice(80, 96) }
  } catch {
    return undefined // because whoever sent it cannot be told in an envelope of ours
  }
}

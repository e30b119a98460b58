import { hasIdentifier } from '../../envelope/index.ts'
import { GRANT_CHAIN } from '../../generated/fbs/index.ts'
import { ClientError } from '../errors.ts'

const PREFIX = 'beemesh-grant:'
const MAX_LENGTH = 16_384

/** A chain of grants as one line that can be sent to somebody. Not secret: only its subject can use it. */
export function formatGrant(chain: Uint8Array): string {
  return PREFIX + Buffer.from(chain).toString('base64url')
}

/** @returns a GrantChain, not checked @throws ClientError GRANT_TEXT_INVALID */
export function parseGrant(text: string): Uint8Array {
  const trimmed = text.trim()
  if (trimmed.startsWith(PREFIX) && trimmed.length <= MAX_LENGTH) {
    const bytes = new Uint8Array(Buffer.from(trimmed.slice(PREFIX.length), 'base64url'))
    if (hasIdentifier(bytes, GRANT_CHAIN)) return bytes
  }
  throw new ClientError('GRANT_TEXT_INVALID', 'this is no grant, or a part of it is missing', {
    hint: `A grant is one line that begins with ${PREFIX}`
  })
}

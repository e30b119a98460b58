import { isBeemeshError } from '../../common/index.ts'
import { encodeGrantList, type PresentRequest } from '../../generated/fbs/index.ts'
import { type GrantChain, openChain, whyNot } from '../../trust/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import type { GuestsContext } from './context.ts'

/** Takes the grants that somebody holds: those that lead back to an owner of this node are kept, and make the asker known here. */
export async function present(
  context: GuestsContext,
  { authorPeerId, payload, reply, signal }: OwnerRequest<PresentRequest>
): Promise<void> {
  const refused: string[] = []
  for (const { value } of payload.chains) {
    const chain = open(context, value, authorPeerId)
    if (typeof chain === 'string') refused.push(chain)
    else if (!(await context.chains.add(chain))) refused.push('this node keeps no more grants')
  }
  const chains = context.chains.of(authorPeerId).map(({ bytes }) => ({ value: bytes }))
  await reply.send(encodeGrantList({ chains, refused: refused.map((text) => text.slice(0, 300)) }), {
    last: true,
    signal
  })
}

/** The chain when it counts here, else why not. */
function open({ networkId, trust }: GuestsContext, bytes: Uint8Array, author: string): GrantChain | string {
  try {
    const { subjectKey: _key, ...chain } = openChain(bytes, { networkId })
    if (chain.subject !== author) return `a grant is for ${chain.subject}, not for ${author}`
    const { owners, ...state } = trust()
    return whyNot(chain, { roots: owners, ...state })?.reason ?? chain
  } catch (error) {
    if (isBeemeshError(error)) return error.message
    throw error
  }
}

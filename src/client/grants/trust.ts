import type { Abortable } from '../../common/index.ts'
import { decode, OWNER_LIST } from '../../envelope/index.ts'
import { encodeTrustRequest } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey, publicKeyFromPeerId } from '../../identity/index.ts'
import type { Session, Target } from '../connection/session.ts'

/** Whom a node obeys, after the change. @param change peer IDs @returns peer IDs */
export async function changeTrust(
  session: Session,
  target: Target,
  { add = [], remove = [], signal }: Abortable & { add?: readonly string[]; remove?: readonly string[] } = {}
): Promise<string[]> {
  const keys = (peerIds: readonly string[]) => peerIds.map((id) => ({ value: publicKeyFromPeerId(id) }))
  const encode = (replyKey: Uint8Array) =>
    encodeTrustRequest({ add: keys(add), remove: keys(remove), replyKey })
  return ownersIn(session.ask(target, 'trust', encode, { signal }))
}

/** The peer IDs in an answer to trust. */
export async function ownersIn(answer: AsyncIterable<Uint8Array>): Promise<string[]> {
  const owners: string[] = []
  for await (const body of answer)
    owners.push(...decode(OWNER_LIST, body).owners.map(({ value }) => peerIdFromPublicKey(value)))
  return owners.sort()
}

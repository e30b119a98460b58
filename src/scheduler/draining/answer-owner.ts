import { withDeadline } from '../../common/index.ts'
import {
  type CordonRequest,
  type DrainRequest,
  encodeDrained,
  type MovedCopyInit
} from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey, publicKeyFromPeerId } from '../../identity/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import type { World } from '../types.ts'
import type { Draining, Step } from './draining.ts'

/** Copies in one frame. Source: fbs/drained.fbs. */
const COPIES_PER_FRAME = 64

export interface DrainDoor {
  readonly world: World
  readonly draining: Draining
  /** Durable, and told to others, when it resolves. @returns whether the node takes copies now */
  readonly setScheduling: (scheduling: boolean) => Promise<boolean>
  readonly isScheduling: () => boolean
}

export async function answerCordon(
  { setScheduling }: DrainDoor,
  { payload, reply }: OwnerRequest<CordonRequest>
): Promise<void> {
  const scheduling = await setScheduling(payload.scheduling)
  await reply.send(encodeDrained({ scheduling, copies: [] }), { last: true })
}

/** Goes on as long as the asker stays: what was not moved when it leaves stays here. */
export async function answerDrain(
  door: DrainDoor,
  { payload, authorPeerId, reply, signal: gone }: OwnerRequest<DrainRequest>
): Promise<void> {
  const { world, draining } = door
  const { timeoutMs } = payload
  const signal = timeoutMs > 0 ? withDeadline(timeoutMs, gone) : gone
  const only = payload.moves.map(({ to, ...move }) => ({ ...move, to: peerIdFromPublicKey(to) }))
  if (only.length === 0) await door.setScheduling(false)
  const toWire = (step: Step) => toWireStep(world, step, authorPeerId)
  const send = (copies: readonly MovedCopyInit[], last: boolean) =>
    reply.send(encodeDrained({ scheduling: door.isScheduling(), copies: [...copies] }), { last })
  await send([], false)
  const onStep = (step: Step) =>
    void send([toWire(step)], false).catch((error: unknown) => world.log('drain not told: %e', error))
  const ended = (await draining.run(only.length === 0 ? draining.all() : only, { onStep, signal })).map(
    toWire
  )
  while (ended.length > COPIES_PER_FRAME) await send(ended.splice(0, COPIES_PER_FRAME), false)
  await send(ended, true)
}

function toWireStep(
  world: World,
  { manifestId, ordinal, state, to, code, message }: Step,
  asker: string
): MovedCopyInit {
  const stored = world.workloads.get(manifestId)
  const isTheirs = stored !== undefined && stored.owner === asker
  const target = world.neighbours().find(({ peerId }) => peerId === to)
  return {
    manifestId,
    ordinal,
    state,
    to: to === undefined ? undefined : publicKeyFromPeerId(to),
    toName: target?.name.slice(0, 63),
    name: isTheirs ? `${stored.kind.toLowerCase()}/${stored.name}` : undefined,
    code,
    message: message?.slice(0, 1000)
  }
}

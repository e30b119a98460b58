import type { Libp2p, PeerId } from '@libp2p/interface'
import type { AuditRecorder } from '../audit/index.ts'
import type { GuestsService } from '../guests/index.ts'
import type { MembersService } from '../members/index.ts'
import type { ProvidersService } from '../providers/index.ts'
import type { NodeLogger } from '../telemetry/index.ts'
import type { Membership } from '../trust/index.ts'
import { WireError } from '../wire/index.ts'
import type { WorkloadsService } from '../workloads/index.ts'

interface Services {
  readonly members: MembersService
  readonly guests: Pick<GuestsService, 'isRevoked'>
  readonly providers: Pick<ProvidersService, 'lose' | 'regain'>
  readonly workloads: WorkloadsService
}

/**
 * What services have to hear of each other that do not know each other, because a lower floor reaches up only by an event.
 * @returns whether a node is a member: heard of, and not all of its memberships revoked
 */
export function connectServices(
  { members, guests, providers, workloads }: Services,
  {
    recorder,
    log,
    isIdle
  }: {
    readonly recorder: AuditRecorder
    readonly log: Pick<NodeLogger, 'warn'>
    readonly isIdle: () => boolean
  }
): (peerId: string) => boolean {
  // because what a node said that cannot be reached, or has stopped, does not count until it says so again
  for (const change of ['member:dead', 'member:left'] as const)
    members.addEventListener(change, ({ detail }) => providers.lose(detail.peerId))
  members.addEventListener('member:alive', ({ detail }) => providers.regain(detail.peerId))
  members.addEventListener('neighbours:replaced', ({ detail: { before, now } }) => {
    log.warn(
      { before: before.slice(0, 20), now: now.slice(0, 20) },
      'all neighbours are gone and others are there: cut off?'
    )
    recorder.did({ type: 'neighbours-replaced' })
  })
  workloads.addEventListener('workload', ({ detail }) => {
    recorder.did(detail)
    // at once, because others probe an idle node less often; that it is idle again can wait for the next statement
    if (members.self().idle && !isIdle()) members.refresh()
  })
  const counts = ({ chain }: Membership) => !chain.links.some((link) => guests.isRevoked(link, chain))
  return (peerId) => {
    const held = members.get(peerId)?.memberships
    return held !== undefined && (held.length === 0 || held.some(counts))
  }
}

/** At once: to close in order would mean to go on with all that it has sent already. */
export async function sendAway(libp2p: Pick<Libp2p, 'getConnections'>, peer: PeerId): Promise<void> {
  const reason = new WireError('TOO_MANY_REQUESTS', 'this node was sent away')
  for (const connection of libp2p.getConnections(peer)) connection.abort(reason)
}

/** Whether a node is known to answer nobody now. */
export function isGone(members: Pick<MembersService, 'get'>, peerId: string): boolean {
  const state = members.get(peerId)?.state
  return state === 'dead' || state === 'left'
}

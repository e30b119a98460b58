import type { Connection } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { type Abortable, withDeadline } from '../../common/index.ts'
import { DIAL_TIMEOUT_MS } from '../constants.ts'

/** Whether it leads through a relay. */
export function isRelayed(address: string): boolean {
  return address.includes('/p2p-circuit')
}

/** The connection that is used to a node: a direct one where there is one. */
export function bestConnection(manager: ConnectionManager, peerId: string): Connection | undefined {
  const open = manager.getConnections(peerIdFromString(peerId)).filter(({ status }) => status === 'open')
  return open.find(({ direct }) => direct) ?? open[0]
}

/**
 * Dials a node, nothing when it is connected: first where it listens, then through its relays, each with a deadline of its
 * own, because addresses behind a firewall are silent and would use up the time of those that work.
 * @param addresses without /p2p/PEERID at the end
 * @param options.force also beside a connection that is there
 * @param options.relaysFirst where time is short and any connection will do
 * @returns the connection; undefined when there is no address
 * @throws what the last dial threw
 */
export async function dialMember(
  manager: ConnectionManager,
  { peerId, addresses }: { readonly peerId: string; readonly addresses: readonly string[] },
  {
    signal,
    force = false,
    relaysFirst = false
  }: Abortable & { force?: boolean | undefined; relaysFirst?: boolean | undefined } = {}
): Promise<Connection | undefined> {
  const groups = [addresses.filter((address) => !isRelayed(address)), addresses.filter(isRelayed)]
  let failure: unknown
  for (const some of relaysFirst ? groups.reverse() : groups) {
    if (some.length === 0) continue
    const known = bestConnection(manager, peerId)
    if (known !== undefined && !force) return known
    try {
      return await manager.openConnection(
        some.map((address) => multiaddr(`${address}/p2p/${peerId}`)),
        { signal: withDeadline(DIAL_TIMEOUT_MS, signal), force }
      )
    } catch (error) {
      failure = error
    }
  }
  if (failure !== undefined) throw failure
  return undefined
}

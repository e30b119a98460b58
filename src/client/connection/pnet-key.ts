import { toHex } from '../../common/index.ts'
import { type Network, networkPsk } from '../../identity/index.ts'

/** A private network's key in the text form that libp2p reads. */
export function pnetKey(network: Network): Uint8Array {
  return new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${toHex(networkPsk(network))}`)
}

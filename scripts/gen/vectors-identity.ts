import { utf8 } from '../../src/common/index.ts'
import {
  audienceOf,
  deriveSecret,
  networkPsk,
  networkTag,
  openNetwork,
  peerIdMultihash,
  privateNetwork,
  signingKeyFromSeed,
  toLibp2pPrivateKeyBytes
} from '../../src/identity/index.ts'
import { hex, OWNER_SEED, pattern } from './vectors-inputs.ts'

export function identityVectors(): Record<string, unknown> {
  const key = signingKeyFromSeed(OWNER_SEED)
  const networks = [openNetwork('vectors'), privateNetwork('vectors', pattern('network secret', 32))]
  return {
    'identity-and-network': {
      keys: [
        {
          seed: hex(OWNER_SEED),
          publicKey: hex(key.publicKey),
          peerId: key.peerId,
          multihash: hex(peerIdMultihash(key.publicKey)),
          audience: hex(audienceOf(key.publicKey)),
          libp2pPrivateKey: hex(toLibp2pPrivateKeyBytes(key)),
          message: hex(utf8('a message')),
          signature: hex(key.sign(utf8('a message'))),
          derivedLabel: 'test',
          derivedSecret: hex(deriveSecret(key, 'test'))
        }
      ],
      networks: networks.map((network) => ({
        name: network.name,
        open: network.open,
        secret: hex(network.secret),
        id: hex(network.id),
        tag: networkTag(network),
        psk: hex(networkPsk(network))
      }))
    }
  }
}

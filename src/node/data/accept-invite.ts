import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { yamux } from '@chainsafe/libp2p-yamux'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { type parseInvite, pnetKey } from '../../client/index.ts'
import { type Config, ConfigError } from '../../config/index.ts'
import { redeemInvite } from '../../guests/index.ts'
import {
  givenPassphrase,
  keepNetworkKey,
  type Network,
  networkTag,
  peerIdFromPublicKey,
  type SigningKey,
  toLibp2pPrivateKeyBytes,
  writePrivateFile
} from '../../identity/index.ts'
import { addOwners, type Membership, openChain, openMembership } from '../../trust/index.ts'
import { BOOTSTRAP_FILE, OWN_OWNER_FILE, openNodeKey, openPrivateFolder } from './data-dir.ts'
import { MEMBERSHIPS_FILE } from './memberships.ts'

/**
 * Makes this machine a member by an invite, before its node is started: the network's key, the node's own key, its owner, whom to join
 * through, and the membership that the inviting node gives. May be repeated, also after it broke off.
 * @throws GuestsError, WireError; ConfigError when another network's key is in the place of this one's
 */
export async function acceptInvite(config: Config, invite: ReturnType<typeof parseInvite>): Promise<void> {
  const network = invite.networkOf
  const path = config.dataDir
  await openPrivateFolder(path)
  const passphrase = await givenPassphrase({ file: config.passphraseFile })
  if (!network.open) await keepKeyOf(network, config.networkKey!, passphrase)
  const key = await openNodeKey(path, passphrase)
  const { root } = openChain(invite.chain, { networkId: network.id })
  await addOwners(join(path, 'owners'), [root])
  await addLines(join(path, OWN_OWNER_FILE), [root])
  const peerId = peerIdFromPublicKey(invite.node)
  await addLines(
    join(path, BOOTSTRAP_FILE),
    invite.addresses.map((address) => `${address}/p2p/${peerId}`)
  )
  if (await isMember(path, { key, network, root })) return
  const { chain } = await redeem(invite, { key, network })
  await addLines(join(path, MEMBERSHIPS_FILE), [Buffer.from(chain.bytes).toString('base64')])
}

async function keepKeyOf(network: Network, file: string, passphrase: string | undefined): Promise<void> {
  const { value: there } = await keepNetworkKey(file, passphrase, () => network)
  if (networkTag(there) === networkTag(network)) return
  throw new ConfigError('CONFIG_INVALID', `${file} is the key of another network than the invite's`, {
    hint: 'Name another file with --network-key; this machine can be in both with two data directories.'
  })
}

async function isMember(
  path: string,
  { key, network, root }: { key: SigningKey; network: Network; root: string }
): Promise<boolean> {
  const context = { subject: key.publicKey, networkId: network.id, nowMs: Date.now() }
  for (const line of await linesOf(join(path, MEMBERSHIPS_FILE)))
    try {
      if (openMembership(new Uint8Array(Buffer.from(line, 'base64')), context).issuer === root) return true
    } catch {
      // because grants of other networks stay in the file, and old ones
    }
  return false
}

/** Over a host that lives as long as the question, under the key that the node will have. */
async function redeem(
  invite: ReturnType<typeof parseInvite>,
  { key, network }: { key: SigningKey; network: Network }
): Promise<Membership> {
  const libp2p = await createLibp2p({
    privateKey: privateKeyFromProtobuf(toLibp2pPrivateKeyBytes(key)),
    transports: [tcp(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    ...(network.open ? {} : { connectionProtector: preSharedKey({ psk: pnetKey(network) }) }),
    services: {
      identify: identify({ protocolPrefix: `beemesh/${networkTag(network)}` }),
      redeem: ({
        registrar,
        connectionManager
      }: Pick<Parameters<typeof redeemInvite>[1], 'registrar' | 'connectionManager'>) => ({
        invite: () => redeemInvite(invite, { key, network, registrar, connectionManager })
      })
    }
  })
  try {
    return await libp2p.services.redeem.invite()
  } finally {
    await libp2p.stop()
  }
}

async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}

async function addLines(file: string, lines: readonly string[]): Promise<void> {
  const all = new Set([...(await linesOf(file)), ...lines])
  await writePrivateFile(file, `${[...all].join('\n')}\n`, { replace: true })
}

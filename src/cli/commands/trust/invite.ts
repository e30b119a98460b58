import { type Command, Option } from 'commander'
import { createInvite } from '../../../client/index.ts'
import { equalBytes } from '../../../common/index.ts'
import {
  type ClientOptions,
  networkOf,
  parseDuration,
  withClient,
  withClientOptions
} from '../../client-options.ts'
import { CliError } from '../../errors.ts'

const DEFAULT_EXPIRES_MS = 60 * 60 * 1000

interface InviteOptions extends ClientOptions {
  readonly expires: number
}

/** `beemesh invite` */
export function addInvite(program: Command): void {
  withClientOptions(program.command('invite'))
    .description('one line with which one other machine may join; whoever has it may, so keep it secret')
    .addOption(
      new Option('--expires <duration>', 'good for')
        .argParser(parseDuration)
        .default(DEFAULT_EXPIRES_MS, '1h')
    )
    .action(invite)
}

async function invite(options: InviteOptions): Promise<void> {
  await withClient(options, async ({ client, session, local, output, passphrase, signal }) => {
    const nodes = await client.nodes({ signal })
    const node = nodes.find(({ entry }) => entry)
    if (node === undefined) throw new CliError('USAGE', 'the entry node says nothing of itself')
    const reachable = node.addresses.filter((address) => !isLoopback(address))
    if (reachable.length === 0)
      output.progress(
        `${node.name} listens on loopback only: the invite works on this machine. For others start it with --listen /ip4/0.0.0.0/tcp/4001.`
      )
    const network = await networkOf(options, local, { entry: node.peerId, passphrase })
    if (!equalBytes(network.id, session.connection.networkId))
      throw new CliError('USAGE', 'the network key at hand is not that of the entry node', {
        hint: 'Name the key file of its network with --network-key.'
      })
    const redeemBefore = Date.now() + options.expires
    const addresses = reachable.length === 0 ? node.addresses : reachable
    const text = createInvite(session, { network, node: { ...node, addresses }, redeemBefore })
    const until = new Date(redeemBefore).toISOString()
    output.progress(`Good until ${until}, for one machine. There: beemesh join …`)
    output.result({ invite: text, until, node: node.peerId, network: network.name }, () => text)
  })
}

function isLoopback(address: string): boolean {
  return /^\/(ip4\/127\.|ip6\/::1\/)/.test(address)
}

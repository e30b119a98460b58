import type { Command } from 'commander'
import { changeTrust, type SeenNode } from '../../../client/index.ts'
import { type ClientOptions, withClient, withClientOptions } from '../../client-options.ts'
import { table } from '../../output.ts'

interface TrustOptions extends ClientOptions {
  readonly all?: boolean
}

/** `beemesh trust list|add|remove` */
export function addTrust(program: Command): void {
  const trust = program.command('trust').description('whom nodes obey')
  const withAll = (command: Command) =>
    withClientOptions(command).option('--all', 'on every member that answers, not on the entry node only')
  withAll(trust.command('list'))
    .description('owners of the entry node')
    .action((options: TrustOptions) => change({}, options))
  withAll(trust.command('add'))
    .description('obey this owner too, from now on')
    .argument('<peerid>', 'an identity')
    .action((peerId: string, options: TrustOptions) => change({ add: [peerId] }, options))
  withAll(trust.command('remove'))
    .description('obey this owner no more; what it runs goes on')
    .argument('<peerid>', 'an identity')
    .action((peerId: string, options: TrustOptions) => change({ remove: [peerId] }, options))
}

async function change(
  what: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
  options: TrustOptions
): Promise<void> {
  await withClient(options, async ({ client, session, output, signal }) => {
    const nodes = await client.nodes({ signal })
    const chosen = options.all ? nodes.filter(isThere) : nodes.filter(({ entry }) => entry)
    const answers = await Promise.all(
      chosen.map(async (node) => ({
        node: node.name,
        peerId: node.peerId,
        owners: await changeTrust(session, node, { ...what, signal })
      }))
    )
    output.result({ nodes: answers }, () =>
      table(
        ['NODE', 'OWNER'],
        answers.flatMap(({ node, owners }) => owners.map((owner) => [node, owner]))
      )
    )
  })
}

function isThere({ member, state }: SeenNode): boolean {
  return member && state !== 'dead' && state !== 'left'
}

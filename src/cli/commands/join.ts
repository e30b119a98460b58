import type { Command } from 'commander'
import { parseInvite } from '../../client/index.ts'
import { type NodeStartOptions, runNode, withNodeOptions } from './node-start.ts'

/** `beemesh join INVITE` */
export function addJoin(program: Command): void {
  withNodeOptions(program.command('join'))
    .description(
      'run a node on this machine that belongs to somebody\'s mesh; later "beemesh node start" is enough'
    )
    .argument('<invite>', 'the line that "beemesh invite" printed')
    .action((invite: string, options: NodeStartOptions) => runNode(options, parseInvite(invite)))
}

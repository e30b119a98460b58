import { type Command, Option } from 'commander'
import type { GuestManifest, ProgressEvent } from '../../../client/index.ts'
import { type ClientOptions, parseDuration, withClient, withClientOptions } from '../../client-options.ts'
import { table } from '../../output.ts'

interface EvictCommandOptions extends ClientOptions {
  readonly from?: string
  readonly volumes?: boolean
  readonly refuse: number
}

const DEFAULT_REFUSE_MS = 24 * 60 * 60 * 1000

/** `beemesh evict [REF] [--from NODE]` */
export function addEvict(program: Command): void {
  withClientOptions(program.command('evict'))
    .description('stop and forget what a guest runs on a machine of yours; without a name: list it')
    .argument('[ref]', 'manifest ID, kind/name, or name')
    .option('--from <node>', 'name or peer ID of the machine (default: the entry node)')
    .option('--volumes', 'lasting volumes too, with what is in them')
    .addOption(
      new Option(
        '--refuse <duration>',
        'take no newer version of it for so long; 0: only this one is refused'
      )
        .argParser(parseDuration)
        .default(DEFAULT_REFUSE_MS, '1d')
    )
    .action(evict)
}

async function evict(ref: string | undefined, options: EvictCommandOptions): Promise<void> {
  await withClient(options, async ({ client, output, signal }) => {
    if (ref === undefined) {
      const guests = await client.guests(options.from, { signal })
      return output.result({ guests }, () =>
        guests.length === 0 ? 'no guest runs anything there' : listed(guests)
      )
    }
    const onProgress = ({ name, node, state }: ProgressEvent) =>
      output.progress(`${name} on ${node}: ${state}`)
    const refuseSeconds = Math.round(options.refuse / 1_000)
    const evicted = await client.evict(ref, options.from, {
      signal,
      onProgress,
      volumes: options.volumes,
      refuseSeconds
    })
    const until = new Date(Date.now() + refuseSeconds * 1_000).toISOString()
    output.result({ evicted, until }, () =>
      [
        `${evicted.kind.toLowerCase()}/${evicted.name} of ${evicted.owner} is stopped and forgotten here (${evicted.placements.length} copies).`,
        refuseSeconds === 0
          ? 'This version is not taken again; a newer one is.'
          : `It is not taken again before ${until}.`,
        'To take nothing of that guest any more: beemesh grant revoke, or beemesh trust remove.'
      ].join('\n')
    )
  })
}

function listed(guests: readonly GuestManifest[]): string {
  const rows = guests.map(({ namespace, kind, name, owner, placements, manifestId }) => [
    namespace,
    `${kind.toLowerCase()}/${name}`,
    String(placements.length),
    owner.slice(-8),
    manifestId
  ])
  return table(['NAMESPACE', 'NAME', 'COPIES', 'OWNER', 'MANIFEST'], rows)
}

import { type Command, InvalidArgumentError } from 'commander'
import { type ManifestResult, restart, scale } from '../../../client/index.ts'
import { type ClientOptions, type Connected, withClient, withClientOptions } from '../../client-options.ts'
import { printApplied, progressOf } from '../apply.ts'

/** Source: MAX of replicas in schemas/manifest. */
const MAX_DIGITS = 4

/** `beemesh scale REF --replicas N` */
export function addScale(program: Command): void {
  withClientOptions(program.command('scale'))
    .description('another number of copies; those that run go on')
    .argument('<ref>', 'manifest ID, kind/name, or name')
    .requiredOption('--replicas <number>', 'copies altogether', parseReplicas)
    .action(async (ref: string, options: ClientOptions & { readonly replicas: number }) =>
      change(options, ({ client, signal }, onProgress) =>
        scale(client, ref, { replicas: options.replicas, signal, onProgress })
      )
    )
}

/** `beemesh restart REF` */
export function addRestart(program: Command): void {
  withClientOptions(program.command('restart'))
    .description('replace every copy by a new one, as a newer version would')
    .argument('<ref>', 'manifest ID, kind/name, or name')
    .action(async (ref: string, options: ClientOptions) =>
      change(options, ({ client, signal }, onProgress) => restart(client, ref, { signal, onProgress }))
    )
}

/** Something that is applied as a newer version, told as apply tells it. */
export async function change(
  options: ClientOptions,
  act: (connected: Connected, onProgress: ReturnType<typeof progressOf>) => Promise<ManifestResult>
): Promise<void> {
  const startedAt = performance.now()
  await withClient(options, async (connected) => {
    const { output } = connected
    const result = await act(connected, progressOf(output, startedAt))
    printApplied(output, [result], startedAt)
  })
}

function parseReplicas(text: string): number {
  if (!/^\d+$/.test(text) || text.length > MAX_DIGITS)
    throw new InvalidArgumentError('Expected a number of copies, such as 3.')
  return Number(text)
}

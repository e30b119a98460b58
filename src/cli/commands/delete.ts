import type { Command } from 'commander'
import type { ManifestResult, ProgressEvent } from '../../client/index.ts'
import { parseManifests } from '../../manifest/index.ts'
import { type ClientOptions, readInput, withClient, withClientOptions } from '../client-options.ts'
import { CliError } from '../errors.ts'
import { exitCodeOfFailures } from '../exit-codes.ts'
import { duration } from '../output.ts'

interface DeleteOptions extends ClientOptions {
  readonly filename?: string
  readonly volumes?: boolean
}

/** `beemesh delete REF | -f FILE` */
export function addDelete(program: Command): void {
  withClientOptions(program.command('delete'))
    .description('stop and forget a manifest, wherever it runs')
    .argument('[ref]', 'manifest ID, kind/name, or name')
    .option('-f, --filename <file>', 'everything this manifest file describes; "-" for standard input')
    .option('--volumes', 'lasting volumes too, with what is in them')
    .action(remove)
}

async function remove(ref: string | undefined, options: DeleteOptions): Promise<void> {
  if ((ref === undefined) === (options.filename === undefined))
    throw new CliError(
      'USAGE',
      'name either a manifest or a file: beemesh delete REF | beemesh delete -f FILE'
    )
  const startedAt = performance.now()
  const refs = ref === undefined ? await refsOf(options) : [{ ref, namespace: options.namespace }]
  const results: ManifestResult[] = []
  for (const { ref: one, namespace } of refs)
    await withClient({ ...options, namespace }, async ({ client, output, signal }) => {
      const onProgress = ({ name, node, state }: ProgressEvent) =>
        output.progress(
          `${duration(performance.now() - startedAt).padStart(7)}  ${name} on ${node}: ${state}`
        )
      results.push(await client.delete(one, { signal, onProgress, volumes: options.volumes }))
      if (results.length < refs.length) return
      const durationMs = Math.round(performance.now() - startedAt)
      output.result({ results, durationMs }, () => human(results, durationMs))
      const codes = results.flatMap(({ placements }) => placements.map(({ error }) => error?.code))
      process.exitCode = exitCodeOfFailures(codes)
    })
}

async function refsOf({
  filename = '',
  namespace
}: DeleteOptions): Promise<{ ref: string; namespace: string }[]> {
  const manifests = parseManifests(await readInput(filename), { file: filename, namespace })
  return manifests.map(({ kind, name, namespace }) => ({ ref: `${kind}/${name}`, namespace }))
}

function human(results: readonly ManifestResult[], durationMs: number): string {
  const lines = results.flatMap(({ kind, name, placements }) => {
    const failed = placements.flatMap(({ node, error }) =>
      error === undefined ? [] : [`  ${node}: ${error.message} [${error.code}]`]
    )
    const gone = placements.length - failed.length
    return [`${kind.toLowerCase()}/${name} deleted (${gone} ${gone === 1 ? 'copy' : 'copies'})`, ...failed]
  })
  return `${lines.join('\n')}\ndone in ${duration(durationMs)}`
}

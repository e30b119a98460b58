import type { Command } from 'commander'
import type { FoundProvider } from '../../client/index.ts'
import { parseManifests } from '../../manifest/index.ts'
import {
  type ClientOptions,
  readInput,
  withClient,
  withClientOptions,
  withOutput
} from '../client-options.ts'
import { duration, Output, type OutputFormat, table } from '../output.ts'
import { workloadTable } from './get.ts'

/** `beemesh status REF` */
export function addStatus(program: Command): void {
  withClientOptions(program.command('status'))
    .description('what one manifest looks like, wherever it runs')
    .argument('<ref>', 'manifest ID, kind/name, or name')
    .action(async (ref: string, options: ClientOptions) => {
      await withClient(options, async ({ client, output, signal }) => {
        const status = await client.status(ref, { signal })
        const failures = status.placements.flatMap(({ node, error }) =>
          error === undefined ? [] : [`${node}: ${error.message}`]
        )
        if (status.unanswered !== undefined) output.progress(`no answer from ${status.unanswered.join(', ')}`)
        const id = `manifest ${status.manifestId}, version ${status.version}`
        output.result(status, () => [workloadTable([status]), id, ...failures].join('\n'))
      })
    })
}

/** `beemesh providers REF` */
export function addProviders(program: Command): void {
  withClientOptions(program.command('providers'))
    .description('who provides a manifest, as the entry node finds it')
    .argument('<ref>', 'manifest ID, kind/name, or name')
    .action(async (ref: string, options: ClientOptions) => {
      await withClient(options, async ({ client, output, signal }) => {
        const found = await client.providers(ref, { signal })
        output.result(found, () =>
          found.providers.length === 0 ? 'nobody provides it' : providerTable(found.providers)
        )
      })
    })
}

function providerTable(providers: readonly FoundProvider[]): string {
  const rows = providers.map(({ node, state, source, ageMs, engine, workloadId }) => [
    node,
    state,
    source,
    duration(ageMs),
    engine,
    workloadId
  ])
  return table(['NODE', 'STATE', 'FOUND BY', 'AGE', 'ENGINE', 'WORKLOAD'], rows)
}

/** `beemesh validate -f FILE`: asks nobody. */
export function addValidate(program: Command): void {
  withOutput(program.command('validate'))
    .description('check a manifest without running it')
    .requiredOption('-f, --filename <file>', 'manifest, YAML or JSON; "-" for standard input')
    .option('-n, --namespace <name>', 'namespace of documents that give none')
    .action(async (options: { filename: string; namespace?: string; output: OutputFormat }) => {
      const { filename: file, namespace } = options
      const manifests = parseManifests(await readInput(file), { file, namespace }).map(
        ({ kind, name, namespace, replicas, resources, ports, engine }) => ({
          kind,
          name,
          namespace,
          replicas,
          resources,
          ports,
          engine
        })
      )
      const text = () =>
        manifests
          .map(
            ({ kind, name, replicas }) =>
              `${kind.toLowerCase()}/${name} is valid (${replicas} ${replicas === 1 ? 'copy' : 'copies'})`
          )
          .join('\n')
      new Output(options.output).result({ manifests }, text)
    })
}

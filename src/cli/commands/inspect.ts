import { type Command, Option } from 'commander'
import type { FoundProvider } from '../../client/index.ts'
import {
  checkPolicy,
  describeViolation,
  type Manifest,
  POLICY_PRESETS,
  type PolicyPreset,
  parseManifests,
  resolvePolicy
} from '../../manifest/index.ts'
import {
  type ClientOptions,
  readInput,
  withClient,
  withClientOptions,
  withOutput
} from '../client-options.ts'
import { CliError } from '../errors.ts'
import { duration, Output, type OutputFormat, table } from '../output.ts'
import { recoverableText, warningsOf } from '../recoverable.ts'
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
        for (const line of warningsOf(status)) output.progress(`warning: ${line}`)
        const kept = recoverableText(status)
        const recoverable = kept === '' ? [] : [`recoverable: ${kept}`]
        output.result(status, () => [workloadTable([status]), ...recoverable, id, ...failures].join('\n'))
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

interface ValidateOptions {
  readonly filename: string
  readonly namespace?: string
  readonly policy?: PolicyPreset
  readonly output: OutputFormat
}

/** @throws CliError POLICY_VIOLATED with everything that a node under this preset would refuse */
function assertPolicy(manifests: readonly Manifest[], preset: PolicyPreset): void {
  const violations = manifests.flatMap((manifest) =>
    checkPolicy(manifest, resolvePolicy(preset)).map((one) => ({
      kind: manifest.kind,
      name: manifest.name,
      ...one
    }))
  )
  if (violations.length === 0) return
  const lines = violations.map((one) => `  ${one.kind} ${one.name}: ${describeViolation(one)}`)
  throw new CliError('POLICY_VIOLATED', [`the ${preset} sandbox policy forbids:`, ...lines].join('\n'), {
    details: { preset, total: violations.length, violations },
    hint: 'Change the fields named above; docs/POLICY.md says what each preset asks for.'
  })
}

/** `beemesh validate -f FILE`: asks nobody. */
export function addValidate(program: Command): void {
  withOutput(program.command('validate'))
    .description('check a manifest without running it')
    .requiredOption('-f, --filename <file>', 'manifest, YAML or JSON; "-" for standard input')
    .option('-n, --namespace <name>', 'namespace of documents that give none')
    .addOption(
      new Option('--policy <preset>', 'also hold it against a sandbox policy').choices(POLICY_PRESETS)
    )
    .action(async (options: ValidateOptions) => {
      const { filename: file, namespace, policy } = options
      const parsed = parseManifests(await readInput(file), { file, namespace })
      if (policy !== undefined) assertPolicy(parsed, policy)
      const manifests = parsed.map(({ kind, name, namespace, replicas, resources, ports, engine }) => ({
        kind,
        name,
        namespace,
        replicas,
        resources,
        ports,
        engine
      }))
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

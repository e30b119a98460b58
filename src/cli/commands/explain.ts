import type { Command } from 'commander'
import { describePlan, explain as explainRef, type PlanView } from '../../client/index.ts'
import { parseManifests } from '../../manifest/index.ts'
import { type ClientOptions, readInput, withClient, withClientOptions } from '../client-options.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import type { Output } from '../output.ts'

interface ExplainOptions extends ClientOptions {
  readonly filename?: string
}

/** `beemesh explain REF | -f FILE` */
export function addExplain(program: Command): void {
  withClientOptions(program.command('explain'))
    .description('why copies run where they do, and what every node says to one more; changes nothing')
    .argument('[ref]', 'manifest ID, kind/name, or name')
    .option('-f, --filename <file>', 'a manifest that need not run yet; "-" for standard input')
    .action(explain)
}

async function explain(ref: string | undefined, options: ExplainOptions): Promise<void> {
  const { filename, namespace } = options
  if ((ref === undefined) === (filename === undefined))
    throw new CliError(
      'USAGE',
      'name either a manifest or a file: beemesh explain REF | beemesh explain -f FILE'
    )
  const manifests =
    filename === undefined ? [] : parseManifests(await readInput(filename), { file: filename, namespace })
  await withClient(options, async ({ client, output, signal }) => {
    const plans =
      ref === undefined
        ? await client.plan(manifests, { signal })
        : [await explainRef(client, ref, { signal })]
    printPlans(output, plans)
  })
}

/** Also of an apply that is only tried. The exit code says whether everything finds a node. */
export function printPlans(output: Output, plans: readonly PlanView[]): void {
  output.result({ plans }, () => plans.map(describePlan).join('\n\n'))
  if (plans.some(({ unplaced, oneMore }) => unplaced.length > 0 && oneMore !== true))
    process.exitCode = EXIT.failed
}

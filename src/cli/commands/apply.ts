import type { Command } from 'commander'
import type { ManifestResult, ProgressEvent } from '../../client/index.ts'
import { parseManifests } from '../../manifest/index.ts'
import { type ClientOptions, readInput, withClient, withClientOptions } from '../client-options.ts'
import { exitCodeOfFailures } from '../exit-codes.ts'
import { duration, type Output, portsText, table } from '../output.ts'
import { printPlans } from './explain.ts'

interface ApplyOptions extends ClientOptions {
  readonly filename: string
  readonly to?: string[]
  readonly dryRun?: boolean
  readonly newFenceKeepers?: boolean
}

/** `beemesh apply -f FILE` */
export function addApply(program: Command): void {
  withClientOptions(program.command('apply'))
    .description('run what a Kubernetes manifest describes')
    .requiredOption('-f, --filename <file>', 'manifest, YAML or JSON; "-" for standard input')
    .option(
      '--to <node>',
      'node that takes copies: peer ID, name or full address; repeatable (default: the mesh is asked who has room)',
      collect
    )
    .option('--dry-run', 'show which node would run what, and why; change nothing')
    .option(
      '--new-fence-keepers',
      'let other nodes decide who runs what is fenced, because most of those that did are gone for good; where they are only cut off, it runs twice'
    )
    .action(apply)
}

const collect = (value: string, before: string[] = []) => [...before, value]

async function apply(options: ApplyOptions): Promise<void> {
  const startedAt = performance.now()
  const text = await readInput(options.filename)
  const manifests = parseManifests(text, { file: options.filename, namespace: options.namespace })
  await withClient(options, async ({ client, output, signal }) => {
    if (options.dryRun === true)
      return printPlans(output, await client.plan(manifests, { to: options.to, signal }))
    const lastMs = new Map<string, number>()
    const tell = progressOf(output, startedAt)
    const onProgress = (event: ProgressEvent) => {
      lastMs.set(event.manifestId, performance.now() - startedAt)
      tell(event)
    }
    const { to, newFenceKeepers } = options
    const applied = await client.apply(manifests, { to, newFenceKeepers, signal, onProgress })
    printApplied(output, applied, startedAt, lastMs)
  })
}

/** What prints progress with the time since the command began. */
export function progressOf(output: Output, startedAt: number): (event: ProgressEvent) => void {
  return (event) => progress(output, event, performance.now() - startedAt)
}

/** The end of every command that applies something. @param lastMs when each manifest was done @default now */
export function printApplied(
  output: Output,
  applied: readonly ManifestResult[],
  startedAt: number,
  lastMs: ReadonlyMap<string, number> = new Map()
): void {
  const durationMs = Math.round(performance.now() - startedAt)
  const results = applied.map((result) => ({
    ...result,
    durationMs: Math.round(lastMs.get(result.manifestId) ?? durationMs)
  }))
  output.result({ results, durationMs }, () => human(results, durationMs))
  const placements = results.flatMap((result) => result.placements)
  process.exitCode = exitCodeOfFailures(placements.map(({ error }) => error?.code))
}

function progress(
  output: Output,
  { name, node, state, unchanged, error }: ProgressEvent,
  atMs: number
): void {
  const what = unchanged
    ? 'unchanged'
    : error === undefined
      ? state
      : `${state}: ${error.message} [${error.code}]`
  output.progress(`${duration(atMs).padStart(7)}  ${name} on ${node}: ${what}`)
}

function human(results: readonly ManifestResult[], durationMs: number): string {
  const rows = results.flatMap(({ kind, name, placements }) =>
    placements.map(({ node, state, ports, workloadId, error }) => [
      `${kind.toLowerCase()}/${name}`,
      node,
      state,
      portsText(ports),
      error === undefined ? workloadId : `${error.message} [${error.code}]`
    ])
  )
  const failed = results.flatMap(({ placements }) => placements).filter(({ error }) => error !== undefined)
  const summary =
    failed.length === 0
      ? `applied in ${duration(durationMs)}`
      : `${failed.length} of ${rows.length} copies failed (${duration(durationMs)})`
  const hints = [
    ...new Set(failed.flatMap(({ error }) => (error?.hint === undefined ? [] : [`  → ${error.hint}`])))
  ]
  const turned = results.flatMap(({ kind, name, version, rolledBack }) =>
    rolledBack === undefined
      ? []
      : [
          `${kind.toLowerCase()}/${name} was turned back: version ${rolledBack.to} runs again, as version ${version}`
        ]
  )
  const notes = results.flatMap(({ kind, name, note }) =>
    note === undefined ? [] : [`${kind.toLowerCase()}/${name}: ${note}`]
  )
  const head = rows.length === 0 ? [] : [table(['NAME', 'NODE', 'STATE', 'PORTS', 'WORKLOAD'], rows)]
  const lines = [...head, ...turned, ...notes, summary, ...hints]
  return lines.join('\n')
}

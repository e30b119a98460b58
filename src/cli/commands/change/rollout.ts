import { type Command, InvalidArgumentError } from 'commander'
import {
  type RolloutHistory,
  type RolloutStatus,
  rolloutHistory,
  rolloutStatus,
  undo
} from '../../../client/index.ts'
import { type ClientOptions, withClient, withClientOptions } from '../../client-options.ts'
import { EXIT } from '../../exit-codes.ts'
import { describeRef, table } from '../../output.ts'
import { change } from './change.ts'

/** `beemesh rollout status|undo|history REF` */
export function addRollout(program: Command): void {
  const rollout = program.command('rollout').description('versions of a manifest, and how they take over')
  const withRef = (command: Command) =>
    withClientOptions(command).argument('<ref>', 'manifest ID, kind/name, or name')
  withRef(rollout.command('status'))
    .description('how far the newest version has come; exit code 1 while it is not complete')
    .option('--wait', 'until it is complete, at most --timeout')
    .action(status)
  withRef(rollout.command('history')).description('versions that nodes can give back').action(history)
  withRef(rollout.command('undo'))
    .description('apply what ran before once more, as a newer version')
    .option('--to-version <version>', 'one that history lists (default: the one before)', parseVersion)
    .action(async (ref: string, options: ClientOptions & { readonly toVersion?: number }) =>
      change(options, ({ client, signal }, onProgress) =>
        undo(client, ref, { to: options.toVersion, signal, onProgress })
      )
    )
}

async function status(ref: string, options: ClientOptions & { readonly wait?: boolean }): Promise<void> {
  await withClient(options, async ({ client, output, signal }) => {
    const onChange = (now: RolloutStatus) => output.progress(sentence(now))
    const { wait } = options
    const found = await rolloutStatus(client, ref, { wait, onChange: wait ? onChange : undefined, signal })
    output.result(found, () => statusText(found))
    if (!found.complete) process.exitCode = EXIT.failed
  })
}

function sentence({ replicas, updated, version, complete, ...named }: RolloutStatus): string {
  const copies = named.kind === 'DaemonSet' ? `${updated}` : `${updated} of ${replicas}`
  return `${describeRef(named)}: ${copies} copies run version ${version}${complete ? ', complete' : ''}`
}

function statusText(found: RolloutStatus): string {
  const rows = found.nodes.map(({ node, version, copies, running }) => [
    node,
    version === found.version ? 'newest' : 'older',
    `${running}/${copies}`,
    version
  ])
  return [table(['NODE', 'RUNS', 'RUNNING', 'VERSION'], rows), sentence(found)].join('\n')
}

async function history(ref: string, options: ClientOptions): Promise<void> {
  await withClient(options, async ({ client, output, signal }) => {
    const found = await rolloutHistory(client, ref, { signal })
    output.result(found, () => historyText(found))
  })
}

function historyText({ versions }: RolloutHistory): string {
  const rows = versions.map(({ version, issuedAt, replicas, current, nodes }) => [
    version + (current ? ' *' : ''),
    issuedAt,
    String(replicas),
    nodes.join(',')
  ])
  return table(['VERSION', 'SIGNED', 'COPIES', 'NODES'], rows)
}

function parseVersion(text: string): number {
  const version = Number(text)
  if (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(version))
    throw new InvalidArgumentError('Expected a version such as 1763719383000.')
  return version
}

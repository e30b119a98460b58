import type { Command } from 'commander'
import { cordon, type DrainView, drain, type MovedView } from '../../../client/index.ts'
import { type ClientOptions, withClient, withClientOptions } from '../../client-options.ts'
import { EXIT } from '../../exit-codes.ts'
import { duration, type Output, table } from '../../output.ts'

/** The node ends a little before the command does, so that it can still say what it has done. */
const MARGIN_MS = 1_500
const NODE = 'name, peer ID or full address'

/** `beemesh cordon NODE`, `beemesh uncordon NODE`, `beemesh drain NODE` */
export function addDrain(program: Command): void {
  const withNode = (name: string) => withClientOptions(program.command(name)).argument('<node>', NODE)
  withNode('cordon')
    .description('a node takes nothing new, also after a restart; what runs there goes on')
    .action((name: string, options: ClientOptions) => schedule(name, false, options))
  withNode('uncordon')
    .description('it takes copies again')
    .action((name: string, options: ClientOptions) => schedule(name, true, options))
  withNode('drain')
    .description('cordon a node, and have other nodes run its copies before they stop there')
    .action(drainNode)
}

async function schedule(name: string, scheduling: boolean, options: ClientOptions): Promise<void> {
  await withClient(options, async ({ client, output, signal }) => {
    const result = await cordon(client, name, { scheduling, signal })
    const takes = result.scheduling ? 'takes copies again' : 'takes nothing new'
    // because a node with --no-scheduling stays as it was started
    const still = scheduling && !result.scheduling ? ', as it was started with --no-scheduling' : ''
    output.result(result, () => `${result.node} ${takes}${still}`)
  })
}

async function drainNode(name: string, options: ClientOptions): Promise<void> {
  const startedAt = performance.now()
  await withClient(options, async ({ client, output, signal }) => {
    const timeoutMs = Math.max(1, Math.round(options.timeout - MARGIN_MS))
    const onStep = stepPrinter(output, startedAt)
    const result = await drain(client, name, { timeoutMs, onStep, signal })
    printDrained(output, result, startedAt)
  })
}

export function stepPrinter(output: Output, startedAt: number): (step: MovedView) => void {
  return (step) => {
    const where = step.toName === undefined ? '' : ` to ${step.toName}`
    const why = step.message === undefined ? '' : `: ${step.message}`
    const at = duration(performance.now() - startedAt).padStart(7)
    output.progress(`${at}  copy ${step.ordinal} of ${nameOf(step)}: ${step.state}${where}${why}`)
  }
}

/** The exit code is 1 when copies that could be moved were not; those that stay by their own rules count as done. */
function printDrained(output: Output, { copies, ...rest }: DrainView, startedAt: number): void {
  const durationMs = Math.round(performance.now() - startedAt)
  output.result({ ...rest, copies, durationMs }, () => drainedText({ copies, ...rest }, durationMs))
  if (copies.some(({ state }) => state === 'failed' || state === 'moving')) process.exitCode = EXIT.failed
}

function drainedText({ node, copies }: DrainView, durationMs: number): string {
  const count = (state: MovedView['state']) => copies.filter((one) => one.state === state).length
  const sum = `${node} takes nothing new; ${count('moved')} moved, ${count('stays')} stay, ${count('failed')} failed (${duration(durationMs)})`
  return copies.length === 0 ? sum : `${movedTable(copies)}\n${sum}`
}

export function movedTable(copies: readonly MovedView[]): string {
  const rows = copies.map((copy) => [
    nameOf(copy),
    String(copy.ordinal),
    copy.state,
    copy.toName ?? '',
    copy.code === undefined ? (copy.message ?? '') : `${copy.message} [${copy.code}]`
  ])
  return table(['NAME', 'COPY', 'STATE', 'TO', 'WHY'], rows)
}

function nameOf({ name, manifestId }: MovedView): string {
  return name ?? manifestId
}

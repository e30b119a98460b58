import type { Command } from 'commander'
import type { AuditEntryView, AuditVerdict } from '../../client/index.ts'
import { type ClientOptions, parseDuration, withClient, withClientOptions } from '../client-options.ts'
import { EXIT } from '../exit-codes.ts'

interface ShowOptions extends ClientOptions {
  readonly since?: number
  readonly refused?: boolean
}

/** `beemesh audit show [NODE]`, `beemesh audit verify [NODE]` */
export function addAudit(program: Command): void {
  const audit = program
    .command('audit')
    .description('what a node was asked and did, and whether that is true')
  withClientOptions(audit.command('show'))
    .description('the audit log of a node')
    .argument('[node]', 'name, peer ID or full address (default: the entry node)')
    .option('--since <duration>', 'only the last while, such as 10m', parseDuration)
    .option('--refused', 'only what was refused')
    .action(show)
  withClientOptions(audit.command('verify'))
    .description('recompute the log of a node and hold it against what the others keep of it')
    .argument('[node]', 'name, peer ID or full address (default: the entry node)')
    .action(verify)
}

async function show(name: string | undefined, options: ShowOptions): Promise<void> {
  const { since, refused } = options
  const sinceMs = since === undefined ? undefined : Date.now() - since
  await withClient(options, async ({ client, output, signal }) => {
    const entries: AuditEntryView[] = []
    for await (const entry of client.audit(name, { sinceMs, refused, signal })) entries.push(entry)
    output.result({ entries }, () => entries.map(human).join('\n') || 'Nothing is written.')
  })
}

function human({ sequence, timestamp, what, action, ...more }: AuditEntryView): string {
  const { author, verified, transport, manifestId, version, code, rule, count } = more
  const who = author === undefined ? [] : [verified ? `by ${author}` : `by ${author} (claimed)`]
  const way = transport === undefined || transport === author ? [] : [`from ${transport}`]
  const which =
    manifestId === undefined ? [] : [version === undefined ? manifestId : `${manifestId} ${version}`]
  const why = code === undefined ? [] : [rule === undefined ? code : `${code} (${rule})`]
  const often = count > 1 ? [`x${count}`] : []
  const start = [String(sequence).padStart(6), timestamp, what.padEnd(7), action.padEnd(12)]
  return [...start, ...why, ...which, ...who, ...way, ...often].join('  ').trimEnd()
}

async function verify(name: string | undefined, options: ClientOptions): Promise<void> {
  await withClient(options, async ({ client, output, signal }) => {
    const verdict = await client.verifyAudit(name, { signal })
    output.result(verdict, () => verdictText(verdict))
    if (!verdict.intact) process.exitCode = EXIT.failed
  })
}

function verdictText({
  node,
  entries,
  first,
  last,
  intact,
  faults,
  witnesses,
  unanswered = []
}: AuditVerdict): string {
  const range =
    first === undefined || last === undefined
      ? ''
      : ` from ${first.sequence} (${first.timestamp}) to ${last.sequence} (${last.timestamp})`
  const sum = (count: (one: (typeof witnesses)[number]) => number) =>
    witnesses.reduce((all, one) => all + count(one), 0)
  const [heads, agree, older] = [sum((one) => one.heads), sum((one) => one.agree), sum((one) => one.older)]
  const said =
    heads === 0
      ? 'nobody holds a head of it yet: only the node itself vouches for it'
      : `${agree} of ${heads} heads of ${witnesses.length} witnesses agree${older > 0 ? `, ${older} are older than what is kept` : ''}`
  const lines = intact
    ? [`${node}: ${entries} entries, chain intact${range}, ${said}`]
    : [
        `${node}: BROKEN, ${entries} entries${range}, ${said}`,
        ...faults.map(({ sequence, message, witnesses: by }) =>
          [
            `  entry ${sequence}: ${message}`,
            ...(by.length > 0 ? [`as ${by.join(', ')} can show`] : [])
          ].join(', ')
        )
      ]
  if (unanswered.length > 0) lines.push(`did not answer: ${unanswered.join(', ')}`)
  return lines.join('\n')
}

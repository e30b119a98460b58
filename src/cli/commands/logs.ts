import { type Command, InvalidArgumentError } from 'commander'
import type { LogLineView } from '../../client/index.ts'
import {
  type ClientOptions,
  interrupted,
  parseDuration,
  withClient,
  withClientOptions
} from '../client-options.ts'

interface LogsOptions extends ClientOptions {
  readonly follow?: boolean
  readonly tail?: number
  readonly since?: number
  readonly container?: string
  readonly timestamps?: boolean
}

/** Lines of one document with -o json and without -f; more are left out from the front. */
const MAX_LINES = 100_000

/** `beemesh logs REF` */
export function addLogs(program: Command): void {
  withClientOptions(program.command('logs'))
    .description('what the copies of a manifest have written')
    .argument('<ref>', 'manifest ID, kind/name, or name')
    .option('-f, --follow', 'go on until the workload ends or Ctrl-C')
    .option('--tail <n>', 'only the last n lines of each container', parseCount)
    .option('--since <duration>', 'only lines of the last while, such as 10m', parseDuration)
    .option('-c, --container <name>', 'only this container')
    .option('-t, --timestamps', 'show when each line was written')
    .action(logs)
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.')
  return Number(text)
}

async function logs(ref: string, options: LogsOptions): Promise<void> {
  const { follow, tail, since, container } = options
  const sinceMs = since === undefined ? undefined : Date.now() - since
  await withClient(options, async ({ client, output, signal }) => {
    const query = { follow, tail, sinceMs, container, signal: follow ? interrupted() : signal }
    const lines: LogLineView[] = []
    const seen = new Set<string>()
    try {
      for await (const line of client.logs(ref, query)) {
        seen.add(`${line.workloadId} ${line.container}`)
        if (output.json && !follow) lines.push(line)
        else output.line(line, human(line, { named: seen.size > 1, timestamps: options.timestamps }))
        if (lines.length > MAX_LINES) lines.shift()
      }
    } catch (error) {
      if (!(follow && query.signal.aborted)) throw error // because Ctrl-C is how following ends
    }
    if (output.json && !follow) output.result({ lines }, () => '')
  })
}

function human(line: LogLineView, { named, timestamps }: { named: boolean; timestamps?: boolean }): string {
  const parts = [
    ...(timestamps ? [line.timestamp] : []),
    ...(named ? [`[${line.workloadId}/${line.container}]`] : []),
    line.line
  ]
  return parts.join(' ')
}

import type { Command } from 'commander'
import type { EventView } from '../../client/index.ts'
import {
  type ClientOptions,
  interrupted,
  parseDuration,
  withClient,
  withClientOptions
} from '../client-options.ts'

interface EventsOptions extends ClientOptions {
  readonly follow?: boolean
  readonly since?: number
}

/** Events of one document with -o json and without -f; more are left out from the front. */
const MAX_EVENTS = 100_000

/** `beemesh events [REF]` */
export function addEvents(program: Command): void {
  withClientOptions(program.command('events'))
    .description('what happened to your workloads on every node, and to nodes')
    .argument('[ref]', 'manifest ID, kind/name, or name; none: everything, nodes too')
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('--since <duration>', 'only what happened in the last while, such as 10m', parseDuration)
    .action(events)
}

async function events(ref: string | undefined, options: EventsOptions): Promise<void> {
  const { follow, since } = options
  const sinceMs = since === undefined ? undefined : Date.now() - since
  await withClient(options, async ({ client, output, signal }) => {
    const unanswered = new Set<string>()
    const query = {
      follow,
      sinceMs,
      signal: follow ? interrupted() : signal,
      onSilent: ({ name }: { name: string }) => {
        unanswered.add(name)
        output.progress(`${name} does not answer; its events are missing`)
      }
    }
    const all: EventView[] = []
    try {
      for await (const event of client.events(ref, query)) {
        if (follow) output.line(event, human(event))
        else if (all.push(event) > MAX_EVENTS) all.shift()
      }
    } catch (error) {
      if (!(follow && query.signal.aborted)) throw error // because Ctrl-C is how following ends
    }
    if (follow) return
    all.sort((a, b) => a.timestamp.localeCompare(b.timestamp) || a.node.localeCompare(b.node))
    const silent = unanswered.size === 0 ? {} : { unanswered: [...unanswered] }
    output.result({ events: all, ...silent }, () => all.map(human).join('\n') || 'Nothing has happened.')
  })
}

function human(event: EventView): string {
  const { timestamp, node, type } = event
  const start = [timestamp, node, type.padEnd(9)]
  if ('seenBy' in event) return [...start, `node (seen by ${event.seenBy})`].join('  ')
  const { kind = '', name, workloadId, reason } = event
  const what = name === undefined ? workloadId : `${kind.toLowerCase()}/${name} ${workloadId}`
  return [...start, what, ...(reason === undefined ? [] : [`(${reason})`])].join('  ')
}

import type { Command } from 'commander'
import type { ManifestStatusView, SeenNode } from '../../client/index.ts'
import { type ClientOptions, withClient, withClientOptions } from '../client-options.ts'
import { describeRef, duration, portsText, table } from '../output.ts'
import { recoverableText, warningsOf } from '../recoverable.ts'

interface GetOptions extends ClientOptions {
  readonly all?: boolean
  readonly local?: boolean
}

/** `beemesh get workloads|nodes` */
export function addGet(program: Command): void {
  const get = program.command('get').description('list workloads or nodes')
  withClientOptions(get.command('workloads').aliases(['workload', 'wl']))
    .description('what the mesh runs for you')
    .option('--local', 'only what the entry node runs')
    .action(getWorkloads)
  withClientOptions(get.command('nodes').aliases(['node', 'no', 'members']))
    .description('members the entry node knows')
    .option('--all', 'nodes without a membership you accept, too')
    .action(getNodes)
}

async function getWorkloads(options: GetOptions): Promise<void> {
  await withClient(options, async ({ client, output, signal }) => {
    const found = await client.workloads({ all: options.local !== true, signal })
    const workloads = found.filter(
      ({ namespace }) => options.namespace === undefined || namespace === options.namespace
    )
    const silent = workloads[0]?.unanswered
    if (silent !== undefined) output.progress(`no answer from ${silent.join(', ')}`)
    for (const line of workloads.flatMap(warningsOf)) output.progress(`warning: ${line}`)
    output.result({ workloads }, () => (workloads.length === 0 ? 'no workloads' : workloadTable(workloads)))
  })
}

/** One line a copy, and one for those that are missing; a manifest without copies has a line of its own. */
export function workloadTable(workloads: readonly ManifestStatusView[]): string {
  const rows = workloads.flatMap((status) => {
    const { namespace, replicas, placements, missing } = status
    const running = placements.filter(({ state }) => state === 'running' || state === 'ready').length
    const head = [namespace, describeRef(status), `${running}/${replicas}`]
    const kept = recoverableText(status)
    const gone = missing > 0 ? [[...head, '', `${missing} missing`, '', kept, '']] : []
    if (placements.length === 0) return gone.length > 0 ? gone : [[...head, '', '', '', kept, '']]
    return [
      ...placements.map(({ node, state, ports, workloadId }) => [
        ...head,
        node,
        state,
        portsText(ports),
        kept,
        workloadId
      ]),
      ...gone
    ]
  })
  const columns = ['NAMESPACE', 'NAME', 'RUNNING', 'NODE', 'STATE', 'PORTS', 'RECOVERABLE', 'WORKLOAD']
  return table(columns, rows)
}

async function getNodes(options: GetOptions): Promise<void> {
  await withClient(options, async ({ client, output, signal }) => {
    const seen = await client.nodes({ signal })
    const nodes = seen.filter(({ member, entry }) => options.all || member || entry)
    output.result({ nodes: nodes.map(toDocument) }, () => nodeTable(nodes))
  })
}

function toDocument(node: SeenNode) {
  const { peerId, name, entry, member, connected, addresses, labels, engines, version, scheduling } = node
  return {
    peerId,
    name,
    entry,
    member,
    connected,
    path: pathOf(node),
    state: node.state,
    addresses,
    labels,
    engines,
    version,
    scheduling,
    lastSeen: new Date(node.lastSeenMs).toISOString(),
    roundTripMs: node.roundTripMs
  }
}

/** How the entry node is connected to it; undefined for itself and for nodes it is not connected to. */
function pathOf({ entry, connected, relayed }: SeenNode): 'direct' | 'relayed' | undefined {
  if (entry || !connected) return undefined
  return relayed ? 'relayed' : 'direct'
}

function nodeTable(nodes: readonly SeenNode[]): string {
  const rows = nodes.map((node) => [
    node.name + (node.entry ? ' *' : ''),
    node.state !== 'alive' ? node.state : node.connected ? 'connected' : 'not connected',
    pathOf(node) ?? '-',
    node.member ? (node.scheduling ? 'member' : 'member, SchedulingDisabled') : 'NOT A MEMBER',
    node.engines.join(','),
    node.roundTripMs === undefined ? '-' : duration(node.roundTripMs),
    duration(Math.max(0, Date.now() - node.lastSeenMs)),
    node.version,
    node.peerId
  ])
  return table(['NAME', 'STATUS', 'PATH', 'ROLE', 'ENGINES', 'RTT', 'SEEN', 'VERSION', 'PEER ID'], rows)
}

import type { Command } from 'commander'
import type { parseInvite } from '../../client/index.ts'
import { type ConfigInput, loadConfig, splitPair } from '../../config/index.ts'
import { withOutput } from '../client-options.ts'
import { CliError } from '../errors.ts'
import { Output, type OutputFormat } from '../output.ts'

export interface NodeStartOptions {
  readonly dataDir?: string
  readonly name?: string
  readonly role?: ConfigInput['role']
  readonly listen?: string[]
  readonly announceAddress?: string[]
  readonly relay?: ConfigInput['relay']
  readonly mdns: boolean
  readonly upnp?: boolean
  readonly autonat: boolean
  readonly holePunching: boolean
  readonly bootstrap?: string[]
  readonly engine?: ConfigInput['engine']
  readonly network?: string
  readonly networkKey?: string
  readonly identity?: string
  readonly passphraseFile?: string
  readonly owner?: string[]
  readonly label?: string[]
  readonly taint?: string[]
  readonly scheduling: boolean
  readonly config?: string
  readonly metrics?: string
  readonly logLevel?: ConfigInput['logLevel']
  readonly output: OutputFormat
}

type ParsedInvite = ReturnType<typeof parseInvite>

const collect = (value: string, before: string[] = []) => [...before, value]

/** `beemesh node start` */
export function addNodeStart(parent: Command): void {
  withNodeOptions(parent.command('start'))
    .description('run a node on this machine until it is stopped; workloads outlive it')
    .action((options: NodeStartOptions) => runNode(options))
}

/** What everything that runs a node takes. */
export function withNodeOptions(command: Command): Command {
  return withOutput(command)
    .option('--data-dir <dir>', "folder of the node's keys, owners and state")
    .option('--name <name>', 'name others see (default: the host name)')
    .option(
      '--listen <multiaddr>',
      'address to listen on, repeatable (default: a free port on loopback)',
      collect
    )
    .option('--role <role>', 'node, or bootstrap: others join through it, it relays and takes no workloads')
    .option('--announce-address <multiaddr>', 'tell others this address too, repeatable', collect)
    .option('--relay <use>', 'off, use (be reached through relays) or serve (relay for others)')
    .option('--no-mdns', 'do not look for nodes on the LAN')
    .option('--upnp', 'ask the router to open the port')
    .option('--no-autonat', 'do not ask others whether this node can be dialled')
    .option('--no-hole-punching', 'do not try to replace relayed connections by direct ones')
    .option('--bootstrap <multiaddr>', 'full address of a node to join through, repeatable', collect)
    .option('--engine <engine>', 'auto, podman, docker or mock')
    .option('--network <name>', 'join an open network: everybody who knows the name may connect')
    .option('--network-key <file>', 'join a private network; the file is made when missing')
    .option(
      '--identity <file>',
      "the owner's key; the first start makes it the node's owner and signs its membership"
    )
    .option('--passphrase-file <file>', 'encrypt the keys of this node with the passphrase in this file')
    .option('--owner <peerid>', 'obey this owner too, repeatable', collect)
    .option('--label <key=value>', 'label of this node, repeatable', collect)
    .option(
      '--taint <key=value:effect>',
      'keep away what does not tolerate it, repeatable; effect NoSchedule, PreferNoSchedule or NoExecute',
      collect
    )
    .option('--no-scheduling', 'take no workloads')
    .option('--config <file>', 'read settings from a file (docs/CONFIG.md)')
    .option('--metrics <host:port>', "answer GET /metrics there, in Prometheus' format")
    .option('--log-level <level>', 'silent, error, warn, info, debug or trace')
}

/** Runs a node until SIGTERM or SIGINT. @param invite redeemed before the node starts, unless it was already */
export async function runNode(options: NodeStartOptions, invite?: ParsedInvite): Promise<void> {
  const output = new Output(options.output)
  const flags = { ...toFlags(options), ...(invite?.networkOf.open ? { network: invite.network } : {}) }
  const config = await loadConfig({ file: options.config, flags })
  const { acceptInvite, createNode } = await import('../../node/index.ts') // because every other command is quicker without libp2p
  if (invite !== undefined) await acceptInvite(config, invite)
  const node = await createNode(config)
  delete process.env.BEEMESH_PASSPHRASE // because engines need not have it
  const stopped = Promise.withResolvers<void>()
  const stop = () => {
    node.stop().then(stopped.resolve, stopped.reject)
  }
  // `on`, not `once`: while a child of execa runs, its clean-up would find no handler left and end this process by the signal
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  try {
    await node.start()
  } catch (error) {
    await node.stop().catch(() => {}) // because the first error is the one that explains
    throw error
  }
  const { peerId, name, role, network, engine, owners } = node
  const address = node.metricsAddress()
  const metrics = address === undefined ? undefined : `http://${address}/metrics`
  const ready = {
    event: 'ready',
    peerId,
    name,
    role,
    addresses: node.addresses(),
    network: network.name,
    engine,
    owners,
    pid: process.pid,
    ...(metrics === undefined ? {} : { metrics })
  }
  output.line(ready, human(node, ready))
  await stopped.promise
}

function human(
  node: Awaited<ReturnType<typeof import('../../node/index.ts').createNode>>,
  { addresses, metrics }: { readonly addresses: readonly string[]; readonly metrics?: string }
): string {
  const { network, created, owners } = node
  const lines = [
    `node ${node.name} is ready  (${node.peerId})`,
    ...addresses.map((address) => `  address   ${address}`),
    `  network   ${network.name} (${network.open ? 'OPEN: whoever knows the name can connect, though only owners are obeyed' : 'private'})`,
    `  engine    ${node.engine}${node.engine === 'mock' ? ' (pretends to run workloads)' : ''}`,
    ...owners.map((owner) => `  owner     ${owner}`)
  ]
  if (metrics !== undefined) lines.push(`  metrics   ${metrics}`)
  if (node.role === 'bootstrap')
    lines.push('  role      bootstrap: others join through it; it takes no workloads')
  else if (node.engine === 'none')
    lines.push('  no engine is available here: install Podman; until then this node takes no workloads')
  if (created.includes('identity'))
    lines.push('  a new owner identity was made for you; back it up, it is the key to what you run')
  if (owners.length === 0) lines.push('  it has no owner and obeys nobody; add one with --owner PEERID')
  const address = addresses[0]
  if (address !== undefined)
    lines.push(
      'try:',
      '  beemesh get nodes',
      `  beemesh node start --bootstrap ${address} …   (on another machine, same network key)`
    )
  return lines.join('\n')
}

function toFlags(options: NodeStartOptions): ConfigInput {
  const {
    dataDir,
    name,
    role,
    listen,
    announceAddress,
    relay,
    mdns,
    upnp,
    autonat,
    holePunching,
    bootstrap,
    engine,
    network,
    networkKey,
    identity,
    passphraseFile,
    owner,
    label,
    taint,
    scheduling,
    metrics,
    logLevel
  } = options
  const labels = label?.map((text) => {
    if (!text.includes('=')) throw new CliError('USAGE', `--label ${text}: expected KEY=VALUE`)
    return splitPair(text)
  })
  return {
    dataDir,
    name,
    role,
    listen,
    announceAddresses: announceAddress,
    relay,
    mdns: mdns ? undefined : false, // because commander says true where no flag was given
    upnp,
    autonat: autonat ? undefined : false,
    holePunching: holePunching ? undefined : false,
    bootstrap,
    engine,
    network,
    networkKey,
    identity,
    passphraseFile,
    owners: owner,
    labels: labels === undefined ? undefined : Object.fromEntries(labels),
    taints: taint,
    scheduling: scheduling ? undefined : false,
    metrics,
    logLevel
  }
}

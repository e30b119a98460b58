import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  Client,
  findLocalNodes,
  grantFolder,
  type LocalNode,
  localConnection,
  type NodeConnection,
  readGrants,
  remoteConnection,
  runtimeDir,
  Session,
  theLocalNode
} from '../client/index.ts'
import { timeoutSignal } from '../common/index.ts'
import { defaultIdentity, defaultNetworkKey } from '../config/index.ts'
import {
  loadNetworkKey,
  loadOrCreateSigningKey,
  type Network,
  openNetwork,
  type PassphraseSource,
  peerIdFromPublicKey
} from '../identity/index.ts'
import { CliError } from './errors.ts'
import { Output, type OutputFormat } from './output.ts'
import { passphraseOf, rememberedPassphrase } from './passphrase.ts'

const DEFAULT_TIMEOUT_MS = 60_000

/** What every client command takes. */
export interface ClientOptions {
  readonly node?: string
  readonly identity: string
  readonly passphraseFile?: string
  readonly namespace?: string
  readonly timeout: number
  readonly output: OutputFormat
  readonly network?: string
  readonly networkKey?: string
}

export function withOutput(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how results are printed').choices(['json', 'table']).default('table')
  )
}

export function withClientOptions(command: Command): Command {
  return withOutput(command)
    .option(
      '--node <address>',
      'entry node: full address, or name or peer ID of a node on this machine',
      process.env.BEEMESH_NODE
    )
    .option('--identity <file>', 'your key, made on first use', defaultIdentity())
    .option(
      '--passphrase-file <file>',
      'holds the passphrase of your key and of the network key, when they are encrypted'
    )
    .option(
      '-n, --namespace <name>',
      'namespace of names and of documents that give none (default: "default")'
    )
    .addOption(
      new Option('--timeout <duration>', 'give up after, such as 90s, 2m')
        .argParser(parseDuration)
        .default(DEFAULT_TIMEOUT_MS, '60s')
    )
    .option(
      '--network <name>',
      'open network of the entry node, when it is on another machine',
      process.env.BEEMESH_NETWORK
    )
    .option('--network-key <file>', 'key file of its private network', process.env.BEEMESH_NETWORK_KEY)
}

/** "500ms", "60s", "2m", "1h", "30d"; a bare number is seconds. Milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text)
  if (match === null) throw new InvalidArgumentError('Expected a duration such as 500ms, 60s, 2m, 30d.')
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? 's']!
  return Number(match[1]) * unit
}

export interface Connected {
  readonly client: Client
  readonly session: Session
  /** Nodes of this user on this machine. */
  readonly local: readonly LocalNode[]
  readonly output: Output
  /** Of the key, and of the network's; asked once. */
  readonly passphrase: PassphraseSource
  /** Fires at --timeout, and on Ctrl-C. */
  readonly signal: AbortSignal
}

/** Connects, lets `act` do its work, and closes whatever comes. */
export async function withClient(
  options: ClientOptions,
  act: (connected: Connected) => Promise<void>,
  passphrase: PassphraseSource = rememberedPassphrase(passphraseOf(options))
): Promise<void> {
  const output = new Output(options.output)
  const { key } = await loadOrCreateSigningKey(options.identity, { passphrase })
  const local = await findLocalNodes(runtimeDir())
  const network = options.node?.startsWith('/') ? await networkOf(options, local, { passphrase }) : undefined
  // from here on, because a passphrase may be typed slowly
  const signal = AbortSignal.any([timeoutSignal(options.timeout), interrupted()])
  const connection = await connect(options, { local, network, signal })
  try {
    const { peerId: subject } = key
    const { networkId } = connection
    const chains = await readGrants(grantFolder(options.identity), { subject, networkId })
    const session = new Session(key, connection, chains)
    // whoever gave us a grant says which nodes are members, too
    const roots = [...rootsOf(connection, local), ...chains.map(({ root }) => root)]
    const client = new Client({ session, roots, namespace: options.namespace })
    await act({ client, session, local, output, passphrase, signal })
  } finally {
    await connection.close()
  }
}

/** Owners of a node of this same user: whoever they made a member is one for us too. */
function rootsOf(connection: NodeConnection, local: readonly LocalNode[]): readonly string[] {
  const entry = peerIdFromPublicKey(connection.entry)
  return local.filter(({ peerId }) => peerId === entry).flatMap(({ owners }) => owners)
}

async function connect(
  options: ClientOptions,
  {
    local,
    network,
    signal
  }: {
    readonly local: readonly LocalNode[]
    readonly network: Network | undefined
    readonly signal: AbortSignal
  }
): Promise<NodeConnection> {
  const { node } = options
  if (node === undefined) return localConnection(await theLocalNode(runtimeDir()))
  if (network === undefined) {
    const named = local.filter(({ name, peerId }) => name === node || peerId === node)
    if (named.length === 1) return localConnection(named[0]!)
    throw new CliError(
      'USAGE',
      `--node ${node}: no single node of that name or peer ID runs on this machine`,
      {
        hint: 'For a node elsewhere give its full address: /ip4/…/tcp/…/p2p/PEERID.'
      }
    )
  }
  return remoteConnection(node, network, { signal })
}

/** The network of the entry node, with its secret. @param where.entry its peer ID, where it is known */
export async function networkOf(
  { network, networkKey, node }: Pick<ClientOptions, 'network' | 'networkKey' | 'node'>,
  local: readonly LocalNode[],
  { entry, passphrase }: { readonly entry?: string; readonly passphrase: PassphraseSource }
): Promise<Network> {
  if (network !== undefined) return openNetwork(network)
  if (networkKey !== undefined) return loadNetworkKey(networkKey, passphrase)
  const here = local.find(({ peerId }) => peerId === entry || node?.endsWith(`/p2p/${peerId}`))
  if (here?.network.open) return openNetwork(here.network.name)
  return loadNetworkKey(defaultNetworkKey(), passphrase)
}

const interruption = new AbortController()

/** Ctrl-C and SIGTERM, for commands that wait. */
export function interrupted(): AbortSignal {
  const stop = () => interruption.abort(new CliError('INTERRUPTED', 'interrupted'))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  return interruption.signal
}

/** The text of FILE, or of standard input for "-". @throws CliError FILE_UNREADABLE */
export async function readInput(file: string): Promise<string> {
  try {
    if (file !== '-') return await readFile(file, 'utf8')
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of process.stdin) {
      bytes += (chunk as Buffer).byteLength
      if (bytes > 1024 * 1024) throw new CliError('FILE_UNREADABLE', 'standard input is larger than 1 MiB')
      chunks.push(chunk as Buffer)
    }
    return Buffer.concat(chunks).toString('utf8')
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    throw new CliError('FILE_UNREADABLE', `cannot read ${file}`, { cause })
  }
}

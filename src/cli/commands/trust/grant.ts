import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  createGrant,
  formatGrant,
  grantFolder,
  listGrants,
  parseGrant,
  removeGrant,
  revokeGrants,
  saveGrant
} from '../../../client/index.ts'
import { publicKeyFromPeerId } from '../../../identity/index.ts'
import { parseCpuMillis, parseMemoryBytes } from '../../../manifest/index.ts'
import { type GrantAction, type GrantChain, openChain } from '../../../trust/index.ts'
import { type ClientOptions, parseDuration, withClient, withClientOptions } from '../../client-options.ts'
import { CliError } from '../../errors.ts'
import { table } from '../../output.ts'

const ACTIONS = ['apply', 'delete', 'logs', 'exec', 'read', 'admin'] as const
const DEFAULT_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000

interface CreateOptions extends ClientOptions {
  readonly allow: readonly GrantAction[]
  readonly in?: string[]
  readonly registry?: string[]
  readonly cpu?: number
  readonly memory?: number
  readonly storage?: number
  readonly workloads?: number
  readonly for: number
  readonly delegations: number
}

const collect = (value: string, before: string[] = []) => [...before, value]

/** `beemesh grant create|add|list|show|revoke` */
export function addGrant(program: Command): void {
  const grant = program.command('grant').description('let somebody else use your nodes, within bounds')
  withClientOptions(grant.command('create'))
    .description('a grant for one identity, as a line to send to it; nothing is sent to any node')
    .argument('<peerid>', 'whom it is for: "beemesh identity show" on their machine')
    .addOption(
      new Option('--allow <list>', `of ${ACTIONS.join(', ')}`).argParser(parseActions).makeOptionMandatory()
    )
    .option('--in <namespace>', 'only in this namespace, repeatable (default: all)', collect)
    .option('--registry <prefix>', 'only images below it, such as docker.io/library, repeatable', collect)
    .option('--cpu <amount>', 'of all their workloads on a node together, such as 2 or 500m', parseCpu)
    .option('--memory <amount>', 'such as 4Gi', parseBytes)
    .option('--storage <amount>', 'such as 20Gi', parseBytes)
    .option('--workloads <number>', 'copies on a node', parseCount)
    .addOption(
      new Option('--for <duration>', 'how long it holds')
        .argParser(parseDuration)
        .default(DEFAULT_LIFETIME_MS, '30d')
    )
    .option('--delegations <number>', 'how often it may be passed on (default: 0)', parseCount, 0)
    .action(create)
  withClientOptions(grant.command('add'))
    .description('keep a grant that you were given; commands show it to nodes that ask')
    .argument('<grant>', 'the line')
    .action(add)
  withClientOptions(grant.command('list'))
    .description('grants you keep')
    .option('--held', 'grants that were shown to the entry node, by anybody')
    .action(list)
  withClientOptions(grant.command('show'))
    .description('what a grant gives')
    .argument('<grant>', 'the line, or the beginning of the ID of one you keep')
    .action(show)
  withClientOptions(grant.command('revoke'))
    .description('a grant does not count any more, nor what was passed on from it')
    .argument('[grant]', 'the line, or its whole ID')
    .option('--member <node>', 'the memberships that you gave to a node: nothing is sealed to it any more')
    .action(revoke)
}

async function create(peerId: string, options: CreateOptions): Promise<void> {
  const { allow, cpu, memory, storage, workloads, delegations } = options
  await withClient(options, async ({ session, output }) => {
    const chain = createGrant(session, {
      subject: publicKeyFromPeerId(peerId),
      actions: allow,
      namespaces: options.in,
      registries: options.registry,
      quota: { cpuMillis: cpu, memoryBytes: memory, storageBytes: storage, workloads },
      delegations,
      notAfter: Date.now() + options.for
    })
    const grant = formatGrant(chain.bytes)
    output.result({ ...toView(chain), grant }, () =>
      [
        grant,
        '',
        ...human(chain),
        `They keep it with: beemesh grant add …    You take it back with: beemesh grant revoke ${chain.links.at(-1)!.id}`
      ].join('\n')
    )
  })
}

async function add(text: string, options: ClientOptions): Promise<void> {
  await withClient(options, async ({ session, output }) => {
    const { networkId } = session.connection
    const { subjectKey: _key, ...chain } = openChain(parseGrant(text), { networkId })
    if (chain.subject !== session.key.peerId)
      throw new CliError('USAGE', `the grant is for ${chain.subject}, and you are ${session.key.peerId}`)
    const file = await saveGrant(grantFolder(options.identity), chain)
    output.result({ ...toView(chain), file }, () => [...human(chain), `kept in ${file}`].join('\n'))
  })
}

async function list(options: ClientOptions & { readonly held?: boolean }): Promise<void> {
  await withClient(options, async ({ session, output, signal }) => {
    const chains = options.held ? (await listGrants(session, { signal })).chains : session.chains
    const rows = chains.map((chain) => {
      const { id, actions, namespaces, until, subject, root } = toView(chain)
      return [
        id.slice(0, 12),
        subject.slice(-8),
        root.slice(-8),
        actions.join(','),
        namespaces.join(','),
        until
      ]
    })
    output.result({ grants: chains.map(toView) }, () =>
      rows.length === 0 ? 'No grants.' : table(['ID', 'FOR', 'FROM', 'ALLOWS', 'IN', 'UNTIL'], rows)
    )
  })
}

async function show(text: string, options: ClientOptions): Promise<void> {
  await withClient(options, async ({ session, output }) => {
    const { networkId } = session.connection
    const kept = session.chains.find(({ links }) => links.at(-1)!.id.startsWith(text))
    const chain = kept ?? openChain(parseGrant(text), { networkId })
    output.result(toView(chain), () => human(chain).join('\n'))
  })
}

async function revoke(
  text: string | undefined,
  options: ClientOptions & { readonly member?: string }
): Promise<void> {
  if ((text === undefined) === (options.member === undefined))
    throw new CliError('USAGE', 'name a grant, or a node with --member')
  await withClient(options, async ({ client, session, output, signal }) => {
    const { networkId } = session.connection
    const chains: GrantChain[] = []
    const ids: string[] = []
    if (options.member !== undefined) {
      const nodes = await client.nodes({ signal })
      const node = nodes.find(({ name, peerId }) => name === options.member || peerId === options.member)
      chains.push(
        ...(node?.memberships ?? [])
          .filter(({ issuer }) => issuer === session.key.peerId)
          .map(({ chain }) => chain)
      )
      if (chains.length === 0)
        throw new CliError('USAGE', `${options.member} holds no membership that comes from you`, {
          hint: 'See the nodes with "beemesh get nodes --all".'
        })
    } else if (/^[0-9a-f]{64}$/.test(text!)) ids.push(text!)
    else chains.push(openChain(parseGrant(text!), { networkId }))
    ids.push(...chains.map(({ links }) => links.at(-1)!.id))
    // of a grant that only its ID is known of, it is not known when it ends
    const ends = chains.map(({ terms }) => terms.notAfter)
    const forgetAfter = ends.length > 0 ? Math.max(...ends) : Date.now() + UNKNOWN_LIFETIME_MS
    await revokeGrants(session, ids, { forgetAfter, signal })
    for (const chain of chains)
      if (chain.subject === session.key.peerId) await removeGrant(grantFolder(options.identity), chain)
    output.result({ ids, revoked: true }, () =>
      [
        ...ids.map((id) => `Revoked ${id}.`),
        'Nodes that are reached know it now, others when they are back.'
      ].join('\n')
    )
  })
}

/** Longer than any grant of this command lives unless told otherwise. */
const UNKNOWN_LIFETIME_MS = 4 * 365 * 24 * 60 * 60 * 1000

function toView({ root, subject, links, terms }: GrantChain) {
  const { actions, namespaces, registries, quota, delegations, notBefore, notAfter } = terms
  return {
    id: links.at(-1)!.id,
    subject,
    root,
    actions,
    namespaces,
    registries,
    quota,
    delegations,
    since: new Date(notBefore).toISOString(),
    until: new Date(notAfter).toISOString(),
    through: links.slice(0, -1).map((link) => link.subject)
  }
}

function human(chain: GrantChain): string[] {
  const { id, subject, root, actions, namespaces, registries, quota, delegations, until, through } =
    toView(chain)
  const bounds = Object.entries(quota).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} ${value}`]
  )
  return [
    `grant      ${id}`,
    `for        ${subject}`,
    `from       ${[root, ...through].join(' → ')}`,
    `allows     ${actions.join(', ')}`,
    `in         ${namespaces.length === 0 ? 'all namespaces' : namespaces.join(', ')}`,
    ...(registries.length === 0 ? [] : [`images     below ${registries.join(', ')}`]),
    ...(bounds.length === 0 ? [] : [`on a node  ${bounds.join(', ')}`]),
    ...(delegations === 0 ? [] : [`passed on  ${delegations} times at most`]),
    `until      ${until}`
  ]
}

function parseActions(text: string): GrantAction[] {
  const actions = text.split(',').map((one) => one.trim())
  const unknown = actions.filter((one) => !(ACTIONS as readonly string[]).includes(one))
  if (unknown.length > 0)
    throw new InvalidArgumentError(`Expected some of ${ACTIONS.join(', ')}; got ${unknown.join(', ')}.`)
  return actions as GrantAction[]
}

function parseCount(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('Expected a number up to 999.')
  return Number(text)
}

function parseCpu(text: string): number {
  const value = parseCpuMillis(text)
  if (value === undefined || value === 0)
    throw new InvalidArgumentError('Expected an amount such as 2 or 500m.')
  return value
}

function parseBytes(text: string): number {
  const value = parseMemoryBytes(text)
  if (value === undefined || value === 0)
    throw new InvalidArgumentError('Expected an amount such as 512Mi or 4Gi.')
  return value
}

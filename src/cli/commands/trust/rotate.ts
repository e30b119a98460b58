import type { Command } from 'commander'
import {
  abandonRotation,
  addSuccessor,
  Client,
  exchangeKeys,
  listGrants,
  noteWaiting,
  openRotation,
  type Rotation,
  removePredecessor,
  type SeenNode,
  Session,
  type Succession,
  type Told,
  tellEach
} from '../../../client/index.ts'
import type { Abortable } from '../../../common/index.ts'
import { type ClientOptions, type Connected, withClient, withClientOptions } from '../../client-options.ts'
import { CliError } from '../../errors.ts'
import { EXIT } from '../../exit-codes.ts'
import { table } from '../../output.ts'
import { passphraseOf, rememberedPassphrase } from '../../passphrase.ts'

interface RotateOptions extends ClientOptions {
  readonly again?: boolean
  readonly from?: string
}

/** `beemesh identity rotate` */
export function addRotate(identity: Command): void {
  withClientOptions(identity.command('rotate'))
    .description('a new key in place of yours, and your nodes told of it; again: those that did not answer')
    .option('--again', 'begin with yet another key although nodes are still to be told of the last one')
    .option('--from <file>', 'make no new key, but tell nodes that still obey the old one in this file')
    .action(rotate)
}

async function rotate(options: RotateOptions): Promise<void> {
  const { identity, again, from } = options
  const passphrase = rememberedPassphrase(passphraseOf(options))
  const rotation = await openRotation(identity, { passphrase, again, from })
  if (rotation.old.peerId === rotation.next.peerId)
    throw new CliError('USAGE', `${from} holds the key that is yours now, not one of before`)
  await withClient(options, (connected) => tellAll(connected, identity, rotation), passphrase)
}

async function tellAll(
  { session: { connection, chains }, output, signal }: Connected,
  identity: string,
  rotation: Rotation
): Promise<void> {
  const { old, next, backup } = rotation
  const keys: Succession = { old: new Session(old, connection), next: new Session(next, connection) }
  const nodes = await nodesSeenBy(keys, { signal })
  const ending = await grantsEnding(keys.old, { signal })

  const added = await tellEach(nodes, (node) => addSuccessor(keys, node, { signal }))
  if (!rotation.exchanged && !added.some(took)) {
    await abandonRotation(identity)
    throw new CliError('USAGE', 'no node took the new key, so yours was left as it is', {
      details: { nodes: added },
      hint: 'A key that no node obeys needs no rotation: move its file away, and the next command makes a new one.'
    })
  }
  await exchangeKeys(identity, rotation, added.filter(isYours(nodes, keys)))
  const both = nodes.filter((_, index) => added[index]!.outcome === 'added')
  const removed = await tellEach(both, (node) => removePredecessor(keys, node, { signal }))
  const told = added.map((one) => removed.find(({ peerId }) => peerId === one.peerId) ?? one)
  const seen = new Set(told.map(({ peerId }) => peerId))
  const waiting = [
    ...told.filter(isYours(nodes, keys)).filter((one) => one.outcome !== 'rotated'),
    ...rotation.waiting.filter(({ peerId }) => !seen.has(peerId))
  ].map(({ node, peerId }) => ({ node, peerId }))
  if (rotation.isNoted) await noteWaiting(identity, backup, waiting)
  const yours = told.filter((one) => one.outcome !== 'not-yours')
  const held = chains.map(({ root, links }) => ({ id: links.at(-1)!.id, root }))
  const result = {
    from: old.peerId,
    to: next.peerId,
    file: identity,
    backup,
    nodes: yours,
    waiting,
    ending,
    held
  }
  output.result(result, () => human(result))
  if (waiting.length > 0) process.exitCode = EXIT.unreachable
}

/** Asked with whichever key the entry node obeys. */
async function nodesSeenBy({ old, next }: Succession, options: Abortable): Promise<SeenNode[]> {
  const roots = [old.key.peerId, next.key.peerId]
  try {
    return await new Client({ session: next, roots }).nodes(options)
  } catch {
    options.signal?.throwIfAborted()
    return new Client({ session: old, roots }).nodes(options)
  }
}

/** Grants to others that come from the old key, as the entry node knows them. */
async function grantsEnding(old: Session, options: Abortable): Promise<{ id: string; subject: string }[]> {
  try {
    const { chains } = await listGrants(old, options)
    const own = chains.filter(({ root, subject }) => root === old.key.peerId && subject !== old.key.peerId)
    return own.map(({ links, subject }) => ({ id: links.at(-1)!.id, subject }))
  } catch {
    options.signal?.throwIfAborted()
    return [] // because a node that was told before does not answer the old key any more
  }
}

function took({ outcome }: Told): boolean {
  return outcome === 'added' || outcome === 'rotated'
}

/** Of those that did not answer only whoever is known to have been a member by one of the keys is to be told later. */
function isYours(nodes: readonly SeenNode[], { old, next }: Succession): (told: Told) => boolean {
  return ({ peerId, outcome }) => {
    if (outcome === 'not-yours') return false
    if (took({ outcome } as Told)) return true
    const memberOf = nodes.find((node) => node.peerId === peerId)?.memberOf ?? []
    return memberOf.includes(old.key.peerId) || memberOf.includes(next.key.peerId)
  }
}

interface Result {
  readonly from: string
  readonly to: string
  readonly file: string
  readonly backup: string
  readonly nodes: readonly Told[]
  readonly waiting: readonly { readonly node: string }[]
  readonly ending: readonly { readonly id: string; readonly subject: string }[]
  readonly held: readonly { readonly id: string; readonly root: string }[]
}

function human({ from, to, file, backup, nodes, waiting, ending, held }: Result): string {
  const rows = nodes.map(({ node, outcome, error }) => [node, outcome, error?.message ?? ''])
  return [
    table(['NODE', 'OUTCOME', ''], rows),
    '',
    `new key  ${to}  in ${file}; back it up`,
    `old key  ${from}  in ${backup}; keep it until every node was told, then destroy it`,
    ...(waiting.length === 0
      ? ['Every node that was seen obeys the new key alone.']
      : [
          `Still to be told: ${waiting.map(({ node }) => node).join(', ')}. Run it again when they are back.`
        ]),
    'What the old key runs goes on, and is yours by its manifest ID: see it with "beemesh get workloads --all -o json".',
    ...ending.map(
      ({ id, subject }) => `ended: the grant ${id.slice(0, 12)} that you gave to ${subject}; give it again`
    ),
    ...held.map(
      ({ id, root }) =>
        `ended: the grant ${id.slice(0, 12)} that you have from ${root}; ask for one for the new key`
    )
  ].join('\n')
}

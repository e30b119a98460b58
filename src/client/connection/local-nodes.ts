import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writePrivateFile } from '../../identity/index.ts'
import { ClientError } from '../errors.ts'

/** What a running node writes about itself for commands of the same user: `<runtime dir>/<peer ID>.json`, 0600. */
export interface LocalNode {
  readonly peerId: string
  readonly name: string
  readonly pid: number
  /** Path of its Unix socket. */
  readonly socket: string
  readonly network: { readonly name: string; readonly id: string; readonly open: boolean }
  readonly addresses: readonly string[]
  /** Peer IDs it obeys; commands of the same user take them for roots. */
  readonly owners: readonly string[]
}

/** Where nodes of this user leave word: $BEEMESH_RUNTIME_DIR, $XDG_RUNTIME_DIR/beemesh, /run/beemesh for root, else in tmp. */
export function runtimeDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.BEEMESH_RUNTIME_DIR) return env.BEEMESH_RUNTIME_DIR
  if (env.XDG_RUNTIME_DIR) return join(env.XDG_RUNTIME_DIR, 'beemesh')
  const uid = process.getuid?.() ?? 0
  return uid === 0 ? '/run/beemesh' : join(tmpdir(), `beemesh-${uid}`)
}

/** Leaves word of a node. Returns what takes it back. */
export async function advertiseLocalNode(node: LocalNode, dir: string): Promise<() => Promise<void>> {
  const path = join(dir, `${node.peerId}.json`)
  await writePrivateFile(path, `${JSON.stringify(node)}\n`, { replace: true })
  return () => rm(path, { force: true })
}

/** Nodes that run on this machine for this user. What a killed node left behind is passed over and removed. */
export async function findLocalNodes(dir: string): Promise<LocalNode[]> {
  const files = await readdir(dir).catch(() => [])
  const found = await Promise.all(
    files.filter((file) => file.endsWith('.json')).map((file) => readLocalNode(join(dir, file)))
  )
  return found.filter((node) => node !== undefined).sort((a, b) => a.name.localeCompare(b.name))
}

async function readLocalNode(path: string): Promise<LocalNode | undefined> {
  try {
    const uid = process.getuid?.()
    const { uid: owner, mode } = await stat(path)
    if ((uid !== undefined && owner !== uid) || (mode & 0o077) !== 0) return undefined
    const node = JSON.parse(await readFile(path, 'utf8')) as LocalNode
    if (await answers(node.socket)) return node
    if (!isAlive(node.pid)) await rm(path, { force: true })
    return undefined
  } catch {
    return undefined // because a file that vanished or is half written is no node
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const done = (result: boolean) => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(1_000, () => done(false))
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

/** The one node of this machine. @throws ClientError NO_LOCAL_NODE, SEVERAL_LOCAL_NODES with the list */
export async function theLocalNode(dir: string): Promise<LocalNode> {
  const nodes = await findLocalNodes(dir)
  if (nodes.length === 1) return nodes[0]!
  if (nodes.length === 0)
    throw new ClientError('NO_LOCAL_NODE', 'no node runs on this machine for this user', {
      hint: 'Start one with "beemesh node start", or name one with --node MULTIADDR/p2p/PEERID (or BEEMESH_NODE).'
    })
  throw new ClientError('SEVERAL_LOCAL_NODES', `${nodes.length} nodes run on this machine: which one?`, {
    details: { nodes: nodes.map(({ name, peerId, addresses }) => ({ name, peerId, address: addresses[0] })) },
    hint: `Name one: --node ${nodes[0]!.addresses[0] ?? nodes[0]!.peerId}`
  })
}

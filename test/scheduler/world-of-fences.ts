import { sealManifest } from '../../src/client/index.ts'
import type { FenceRequest } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, type SigningKey } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { FenceKeeping } from '../../src/scheduler/fencing/fence-keeping.ts'
import { Fencing } from '../../src/scheduler/fencing/fencing.ts'
import { checkRecord } from '../../src/scheduler/keeping/check-record.ts'
import { KeptTable } from '../../src/scheduler/keeping/kept-table.ts'
import type { CheckedRecord, World } from '../../src/scheduler/types.ts'
import { memoryStore, type Store } from '../../src/store/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import type { Bundle, StoredManifest, StoredWorkload } from '../../src/workloads/index.ts'
import { NETWORK, NOW_MS, OWNER } from '../envelope/fixtures.ts'
import { quietLogger } from '../fixtures/quiet-logger.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

/** A node as far as fencing goes: what it runs is only written down. */
export interface FenceNode {
  readonly key: SigningKey
  readonly store: Store
  readonly kept: KeptTable
  keeping: FenceKeeping
  fencing: Fencing
  /** What it holds, whether it runs or not. */
  stored: StoredManifest | undefined
  /** What was done to it, in order. */
  readonly did: string[]
  /** Nodes that it cannot reach, by index. */
  readonly cutFrom: Set<number>
  /** Stands still: answers nobody, and does nothing. */
  isFrozen: boolean
  /** The daemon is started anew on the same disk. */
  restart(): Promise<void>
}

export interface FenceMesh {
  readonly nodes: readonly FenceNode[]
  readonly record: CheckedRecord
  readonly bundle: Bundle
  /** Since boot, of all. */
  clockMs: number
  /** What a node draws, 0 to 1. @default a number of its own */
  draw: (index: number) => number
  /** A version of the manifest, signed by its owner. */
  seal(version: number): Promise<{ record: CheckedRecord; bundle: Bundle }>
  /** What a node holds from now on of that version: one copy in this state. */
  give(index: number, bundle: { record: CheckedRecord; bundle: Bundle }, copy?: Partial<StoredWorkload>): void
  /** One round of every node that does not stand still. */
  round(): Promise<void>
}

/** Five nodes, all of them fence keepers of one manifest with one copy. */
export async function createFenceMesh({ onPartition = 'fence' } = {}): Promise<FenceMesh> {
  const trust = ownersOnly(new Set([OWNER.peerId]))
  const check = (bytes: Uint8Array) => checkRecord(bytes, { networkId: NETWORK.id, trust })
  const { signal } = new AbortController()
  const annotations = { 'beemesh.io/on-partition': onPartition }
  const [manifest] = parseManifests(toYaml(deployment({ name: 'web', annotations })))
  const keys = Array.from({ length: 5 }, () => generateSigningKey())
  const draw = (index: number) => (index + 1) / keys.length
  const mesh = { clockMs: 1_000_000, draw, nodes: [] as FenceNode[] } as unknown as {
    -readonly [K in keyof FenceMesh]: FenceMesh[K]
  }
  const nodes = mesh.nodes as FenceNode[]
  mesh.seal = async (version) => {
    const fenceKeepers = keys.map(({ publicKey }) => publicKey)
    const about = { key: OWNER, networkId: NETWORK.id, version, nodes: [], fenceKeepers, nowMs: NOW_MS }
    const { record, ciphertext } = await sealManifest(manifest!, about)
    return { record: check(record), bundle: { record, ciphertext, sealedKeys: [], sealedShares: [] } }
  }
  mesh.give = (index, { record, bundle }, copy = {}) => {
    const workload = { workloadId: `w${index}`, ordinal: 0, engine: 'mock', state: 'running', ports: [] }
    const { manifestId, version, digest } = record
    nodes[index]!.stored = {
      manifestId,
      version,
      recordDigest: digest,
      record: bundle.record,
      tombstone: false,
      highest: { version, recordDigest: digest },
      workloads: [{ ...workload, ...copy }]
    } as unknown as StoredManifest
  }
  mesh.round = async () => {
    await Promise.all(nodes.filter(({ isFrozen }) => !isFrozen).map(({ fencing }) => fencing.look()))
    await settle()
  }
  const change = (node: FenceNode, copy: Partial<StoredWorkload>) => {
    if (node.stored === undefined) return
    const workloads = node.stored.workloads.map((one) => ({ ...one, ...copy }))
    node.stored = { ...node.stored, workloads }
  }
  for (const [index, key] of keys.entries()) {
    const store = memoryStore()
    const kept = new KeptTable(store, check)
    const world = {
      key,
      networkId: NETWORK.id,
      store,
      log: quietLogger,
      trust: () => trust,
      now: () => NOW_MS,
      random: () => mesh.draw(index),
      delay: async (ms: number) => {
        mesh.clockMs += ms
        await settle()
      },
      isMember: () => true,
      asks: {
        fence: async (peerId: string, request: FenceRequest) => {
          const to = keys.findIndex((one) => one.peerId === peerId)
          const asked = nodes[to]!
          if (asked.isFrozen || node.cutFrom.has(to) || asked.cutFrom.has(index)) throw new TypeError('cut')
          return asked.keeping.answer({ ...request }, key.peerId)
        }
      },
      workloads: {
        get: () => node.stored,
        list: () => (node.stored === undefined ? [] : [node.stored]),
        fence: async () => {
          node.did.push('fence')
          change(node, { state: 'failed', fenced: true })
        },
        unfence: async () => {
          node.did.push('unfence')
          change(node, { state: 'running', fenced: undefined })
        },
        drop: async () => {
          node.did.push('drop')
          node.stored = undefined
        },
        extend: async () => {},
        guardedUntil: async () => undefined
      }
    } as unknown as World
    const clock = () => mesh.clockMs
    const begin = async () => {
      node.keeping = new FenceKeeping({ world, kept, check, clock })
      const self = (request: FenceRequest, from: string) => node.keeping.answer(request, from)
      node.fencing = new Fencing({ world, clock, self, signal })
      await node.keeping.open()
      await node.fencing.open()
    }
    const node: FenceNode = {
      key,
      store,
      kept,
      keeping: undefined as never,
      fencing: undefined as never,
      stored: undefined,
      did: [],
      cutFrom: new Set(),
      isFrozen: false,
      restart: begin
    }
    await begin()
    nodes.push(node)
  }
  const first = await mesh.seal(NOW_MS)
  mesh.record = first.record
  mesh.bundle = first.bundle
  return mesh
}

/** Until everything that was asked has been answered: nothing here waits for time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

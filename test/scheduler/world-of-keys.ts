import { defaultLogger } from '@libp2p/logger'
import { type SealedManifest, sealManifest } from '../../src/client/index.ts'
import type { ReleasedInit, ReleaseRequest } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, type SigningKey } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { checkRecord } from '../../src/scheduler/keeping/check-record.ts'
import { KeptTable } from '../../src/scheduler/keeping/kept-table.ts'
import { Releasing } from '../../src/scheduler/keys/release-key.ts'
import type { CheckedRecord, Lease, Neighbour, World } from '../../src/scheduler/types.ts'
import { generateSealingKey, type SealingKey } from '../../src/sealing/index.ts'
import { memoryStore } from '../../src/store/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import { NETWORK, NOW_MS, OWNER } from '../envelope/fixtures.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

/** A node as far as keys go; a mock of the rest of the world. What it has seen is its own, so that nodes may disagree. */
export interface KeyNode {
  readonly key: SigningKey
  readonly sealingKey: SealingKey
  readonly world: World
  readonly kept: KeptTable
  readonly releasing: Releasing
  /** What it believes to run. */
  leases: Lease[]
  /** What it answers in the place of what it should. */
  lie?: (released: ReleasedInit) => ReleasedInit
  /** The content key of what it runs. */
  runs?: Uint8Array
  /** Whether it answers at all. */
  isDown: boolean
  /** It takes the question and never answers. */
  hangs?: boolean
}

export interface KeyMesh {
  readonly nodes: readonly KeyNode[]
  readonly sealed: SealedManifest
  readonly record: CheckedRecord
  /** Not a member. */
  readonly strangers: Set<string>
  clockMs: number
}

export const lease = (node: KeyNode, ordinal: number, version: number): Lease => ({
  peerId: node.key.peerId,
  version,
  highest: version,
  workloads: [
    { workloadId: 'w', ordinal, state: 'running', engine: 'mock', ports: [], startedAt: 1 }
  ] as never
})

/** Seven nodes; a manifest of two copies whose key is split 3 of 5: holders are the nodes 2 to 6. All keep it. */
export async function createKeyMesh(
  init: { replicas?: number; recoveryNodes?: number[]; document?: object } = {}
): Promise<KeyMesh> {
  const strangers = new Set<string>()
  const nodes: KeyNode[] = []
  const mesh = { nodes, strangers, clockMs: NOW_MS } as unknown as {
    -readonly [K in keyof KeyMesh]: KeyMesh[K]
  }
  const neighbours = (): Neighbour[] =>
    nodes.map(({ key, sealingKey, isDown }, index) => ({
      peerId: key.peerId,
      publicKey: key.publicKey,
      name: `n${index}`,
      self: false,
      state: isDown ? 'dead' : 'alive',
      scheduling: true,
      labels: {},
      engines: ['mock'],
      sealingKey: sealingKey.publicKey,
      sealingEpoch: sealingKey.epoch,
      bootId: new Uint8Array(16)
    }))
  for (let index = 0; index < 7; index++) {
    const key = generateSigningKey()
    const sealingKey = await generateSealingKey({ epoch: 1 })
    const store = memoryStore()
    const trust = ownersOnly(new Set([OWNER.peerId]))
    const check = (bytes: Uint8Array) => checkRecord(bytes, { networkId: NETWORK.id, trust })
    const kept = new KeptTable(store, check)
    const signal = new AbortController().signal
    const world: World = {
      key,
      networkId: NETWORK.id,
      nodeName: `n${index}`,
      store,
      log: defaultLogger().forComponent('test'),
      trust: () => trust,
      sealingKey: () => sealingKey,
      load: () => 0,
      startedAtMs: 0,
      now: () => mesh.clockMs,
      random: () => 0.5,
      // some real time passes too, because whoever is asked works with real keys meanwhile
      delay: (ms, { signal }) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(() => {
            mesh.clockMs += ms
            resolve()
          }, 10)
          signal?.addEventListener('abort', () => {
            clearTimeout(timer)
            reject(signal.reason)
          })
        }),
      neighbours,
      isMember: (peerId) => !strangers.has(peerId),
      asks: {
        keep: async () => ({ retryable: false, highest: 0, facts: [], taken: [] }),
        assign: async () => ({ retryable: false, highest: 0, facts: [], taken: [] }),
        fence: async () => ({ retryable: false, highest: 0, facts: [], taken: [] }),
        bid: async () => ({ bids: [], asked: 0, members: 0 }),
        release: async (peerId, request, options) => {
          const asked = nodes.find((node) => node.key.peerId === peerId)!
          if (asked.isDown) throw new TypeError('down')
          if (asked.hangs === true)
            await new Promise((_, reject) =>
              options.signal?.addEventListener('abort', () => reject(options.signal!.reason))
            )
          const released = await asked.releasing.answer(request as ReleaseRequest, key.peerId)
          return { index: 0, ...(asked.lie?.(released) ?? released) }
        }
      },
      leased: () => node.leases,
      find: async () => node.leases,
      workloads: {
        get: () => undefined,
        list: () => [],
        assign: () => Promise.reject(new TypeError('not here')),
        drop: async () => {},
        bury: async () => {},
        passBy: async () => {},
        leave: () => {},
        fence: async () => {},
        unfence: async () => {},
        extend: async () => {},
        guardedUntil: async () => undefined,
        contentKeyOf: async () => (node.runs === undefined ? undefined : Uint8Array.from(node.runs)),
        resources: () => ({}) as never
      }
    }
    const releasing = new Releasing({ world, kept, check, signal })
    const node: KeyNode = { key, sealingKey, world, kept, releasing, leases: [], isDown: false }
    nodes.push(node)
  }
  const [manifest] = parseManifests(
    toYaml(init.document ?? deployment({ name: 'web', replicas: init.replicas ?? 2 }))
  )
  const recipient = ({ key, sealingKey }: KeyNode) => ({
    publicKey: key.publicKey,
    sealingKey: sealingKey.publicKey,
    sealingEpoch: sealingKey.epoch
  })
  mesh.sealed = await sealManifest(manifest!, {
    key: OWNER,
    networkId: NETWORK.id,
    version: NOW_MS,
    nodes: [nodes[0]!, nodes[1]!].map(recipient),
    holders: nodes.slice(2).map(recipient),
    threshold: 3,
    recoveryNodes: init.recoveryNodes?.map((index) => nodes[index]!.key.publicKey),
    nowMs: NOW_MS
  })
  mesh.record = checkRecord(mesh.sealed.record, {
    networkId: NETWORK.id,
    trust: ownersOnly(new Set([OWNER.peerId]))
  })
  const { record, ciphertext, sealedShares, sealedKeys } = mesh.sealed
  for (const node of nodes)
    await node.kept.take(
      mesh.record,
      { record, ciphertext, sealedKeys: sealedKeys as never, sealedShares: sealedShares as never },
      NOW_MS
    )
  return mesh
}

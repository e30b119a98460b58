import { defaultLogger } from '@libp2p/logger'
import { sealManifest } from '../../src/client/index.ts'
import type { KeepRequest } from '../../src/generated/fbs/index.ts'
import { generateSigningKey } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { checkRecord } from '../../src/scheduler/keeping/check-record.ts'
import { Keeping } from '../../src/scheduler/keeping/keeping.ts'
import { KeptTable } from '../../src/scheduler/keeping/kept-table.ts'
import type { Neighbour, World } from '../../src/scheduler/types.ts'
import { memoryStore, type Store, StoreError } from '../../src/store/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import type { Bundle } from '../../src/workloads/index.ts'
import { NETWORK, NOW_MS, OWNER } from '../envelope/fixtures.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

export interface Keeper {
  readonly peerId: string
  readonly publicKey: Uint8Array
  readonly keeping: Keeping
  readonly kept: KeptTable
  readonly alarms: unknown[]
}

export interface Oddity {
  /** Whether a keeper runs what it is asked for. */
  readonly runs?: (peerId: string) => boolean
  /** Called before each answer of a keeper; what it throws is a failure on the way. */
  readonly onAsk?: (peerId: string, request: Partial<KeepRequest>) => void
  readonly now?: () => number
  /** Whether a keeper cannot write anything down. */
  readonly isFull?: (peerId: string) => boolean
}

/** Keepers that reach each other; a mock of everything else. */
export function createKeepers(
  count: number,
  { runs, onAsk, now = () => NOW_MS, isFull = () => false }: Oddity = {}
): Keeper[] {
  const trust = ownersOnly(new Set([OWNER.peerId]))
  const check = (bytes: Uint8Array) => checkRecord(bytes, { networkId: NETWORK.id, trust })
  const keys = Array.from({ length: count }, () => generateSigningKey())
  const keepers: Keeper[] = []
  for (const key of keys) {
    const neighbours = () =>
      keys.map(({ peerId, publicKey }) => ({
        peerId,
        publicKey,
        name: peerId.slice(-4),
        self: peerId === key.peerId,
        state: 'alive'
      })) as unknown as Neighbour[]
    const world = {
      key,
      networkId: NETWORK.id,
      log: defaultLogger().forComponent('test'),
      trust: () => trust,
      now,
      neighbours,
      isMember: () => true,
      asks: {
        keep: async (peerId: string, request: KeepRequest) => {
          onAsk?.(peerId, request)
          const empty = { sealedKeys: [], sealedShares: [], ordinals: [], facts: [] }
          const answer = await keepers[keys.findIndex((one) => one.peerId === peerId)]!.keeping.answer(
            { ...empty, ...request },
            key.peerId
          )
          return { retryable: false, highest: 0, ...answer }
        }
      },
      workloads: {
        get: () => (runs?.(key.peerId) ? { highest: { version: NOW_MS }, owner: OWNER.peerId } : undefined),
        passBy: async () => {}
      }
    } as unknown as World
    const kept = new KeptTable(
      storeThatFills(() => isFull(key.peerId)),
      check
    )
    const alarms: unknown[] = []
    const { signal } = new AbortController()
    const onEquivocation = (record: unknown) => void alarms.push(record)
    keepers.push({
      peerId: key.peerId,
      publicKey: key.publicKey,
      keeping: new Keeping({ world, kept, check, signal, onKept: () => {}, onEquivocation }),
      kept,
      alarms
    })
  }
  return keepers
}

function storeThatFills(isFull: () => boolean): Store {
  const store = memoryStore()
  const orFull = async (write: () => Promise<void>) => {
    if (isFull()) throw new StoreError('STORE_WRITE_FAILED', 'no space left on device')
    await write()
  }
  return {
    ...store,
    collection: (name, codec) => {
      const own = store.collection(name, codec)
      return { ...own, put: (key, value) => orFull(() => own.put(key, value)) }
    }
  }
}

/** @param fenceKeepers their public keys; none: it is not fenced */
export async function bundleOf(
  image: string,
  version = NOW_MS,
  fenceKeepers: readonly Uint8Array[] = []
): Promise<Bundle> {
  const annotations = fenceKeepers.length === 0 ? undefined : { 'beemesh.io/on-partition': 'fence' }
  const [manifest] = parseManifests(toYaml(deployment({ name: 'web', image, annotations })))
  const about = { key: OWNER, networkId: NETWORK.id, version, nodes: [], fenceKeepers, nowMs: NOW_MS }
  const { record, ciphertext } = await sealManifest(manifest!, about)
  return { record, ciphertext, sealedKeys: [], sealedShares: [] }
}

import { defaultLogger } from '@libp2p/logger'
import { expect } from 'chai'
import { sealManifest } from '../../src/client/index.ts'
import type { KeepRequest } from '../../src/generated/fbs/index.ts'
import { generateSigningKey } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { checkRecord } from '../../src/scheduler/keeping/check-record.ts'
import { Keeping } from '../../src/scheduler/keeping/keeping.ts'
import { KeptTable } from '../../src/scheduler/keeping/kept-table.ts'
import type { Neighbour, World } from '../../src/scheduler/types.ts'
import { memoryStore } from '../../src/store/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import type { Bundle } from '../../src/workloads/index.ts'
import { NETWORK, NOW_MS, OWNER } from '../envelope/fixtures.ts'
import { deployment, toYaml } from '../fixtures/workload-files.ts'

interface Keeper {
  readonly keeping: Keeping
  readonly kept: KeptTable
  readonly alarms: unknown[]
}

/** Keepers that reach each other; a mock of everything else. */
function createKeepers(count: number): Keeper[] {
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
      now: () => NOW_MS,
      neighbours,
      isMember: () => true,
      asks: {
        keep: async (peerId: string, request: KeepRequest) => {
          const empty = { sealedKeys: [], sealedShares: [], ordinals: [], facts: [] }
          const answer = await keepers[keys.findIndex((one) => one.peerId === peerId)]!.keeping.answer(
            { ...empty, ...request },
            key.peerId
          )
          return { retryable: false, highest: 0, ...answer }
        }
      },
      workloads: { get: () => undefined }
    } as unknown as World
    const kept = new KeptTable(memoryStore(), check)
    const alarms: unknown[] = []
    const { signal } = new AbortController()
    const onEquivocation = (record: unknown) => void alarms.push(record)
    keepers.push({
      keeping: new Keeping({ world, kept, check, signal, onKept: () => {}, onEquivocation }),
      kept,
      alarms
    })
  }
  return keepers
}

async function bundleOf(image: string): Promise<Bundle> {
  const [manifest] = parseManifests(toYaml(deployment({ name: 'web', image })))
  const about = { key: OWNER, networkId: NETWORK.id, version: NOW_MS, nodes: [], nowMs: NOW_MS }
  const { record, ciphertext } = await sealManifest(manifest!, about)
  return { record, ciphertext, sealedKeys: [], sealedShares: [] }
}

describe('scheduler: an owner who signs two records with one version', () => {
  it('28 equivocation: every keeper comes to keep the same one, and says what happened', async () => {
    // given: two halves of the keepers were told different things
    const keepers = createKeepers(5)
    const bundles = [await bundleOf('localhost/one:1'), await bundleOf('localhost/two:1')]
    for (const [index, { keeping, kept }] of keepers.entries()) {
      const bundle = bundles[index % 2]!
      const trust = ownersOnly(new Set([OWNER.peerId]))
      await kept.take(checkRecord(bundle.record, { networkId: NETWORK.id, trust }), bundle, NOW_MS)
      expect(keeping.isMine(kept.all()[0]!.record)).to.equal(true)
    }

    // when: each offers what it keeps, as keepers do when members come and go
    for (const { keeping, kept } of keepers) await keeping.offer(kept.all()[0]!)
    // the news travels on by itself: within some turns of the loop
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))

    // then
    const digests = keepers.map(({ kept }) => Buffer.from(kept.all()[0]!.record.digest).toString('hex'))
    expect(new Set(digests).size).to.equal(1)
    for (const half of [0, 1]) {
      const told = keepers.filter((_, index) => index % 2 === half)
      expect(told.some(({ alarms }) => alarms.length === 1)).to.equal(true)
    }
  })
})

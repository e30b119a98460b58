import { expect } from 'chai'
import { memoryStore } from '../../src/store/index.ts'
import { ManifestTable } from '../../src/workloads/manifest-table.ts'
import type { StoredManifest, StoredWorkload } from '../../src/workloads/types.ts'

const copy = (workloadId: string, state: StoredWorkload['state']): StoredWorkload => ({
  workloadId,
  ordinal: 0,
  engine: 'mock',
  state,
  ports: []
})

function manifest(workloads: StoredWorkload[]): StoredManifest {
  const digest = new Uint8Array(32)
  return {
    manifestId: new Uint8Array(36),
    owner: 'owner',
    version: 1,
    recordDigest: digest,
    record: digest,
    notAfterMs: 1,
    kind: 'Pod',
    name: 'web',
    namespace: 'default',
    replicas: 2,
    restartPolicy: 'Always',
    graceMs: 0,
    cpuMillis: 0,
    storageBytes: 0,
    memoryBytes: 0,
    acceptedAtMs: 0,
    workloads,
    tombstone: false,
    highest: { version: 1, recordDigest: digest }
  }
}

describe('workloads: the table of manifests', () => {
  it('keeps both changes when two copies change at the same moment', async () => {
    // given
    const store = memoryStore()
    const table = new ManifestTable(store)
    await table.put(manifest([copy('a', 'accepted'), copy('b', 'accepted')]))

    // when
    const id = new Uint8Array(36)
    await Promise.all([
      table.putWorkload(id, copy('a', 'running')),
      table.putWorkload(id, copy('b', 'running'))
    ])

    // then
    const states = (one: ManifestTable) => one.get(id)?.workloads.map(({ state }) => state)
    expect(states(table)).to.deep.equal(['running', 'running'])
    const reopened = new ManifestTable(store)
    await reopened.open(0)
    expect(states(reopened)).to.deep.equal(['running', 'running'])
  })

  it('does not hold a copy that could not be written, and goes on knowing what became of those that are there', async () => {
    // given
    const store = memoryStore()
    const collection = store.collection.bind(store)
    let isFull = false
    const table = new ManifestTable({
      ...store,
      collection: (name, codec) => {
        const own = collection(name, codec)
        const put = async (...entry: Parameters<typeof own.put>) => {
          if (isFull) throw new Error('no space left on device')
          await own.put(...entry)
        }
        return { ...own, put }
      }
    })
    const id = new Uint8Array(36)
    await table.put(manifest([copy('a', 'running')]))
    isFull = true

    // when
    const b = { ...copy('b', 'accepted'), ordinal: 1 }
    const added = await table.put(manifest([copy('a', 'running'), b])).catch((error: Error) => error.message)
    const next = copy('a-next', 'accepted')
    const replaced = await table.replaceWorkload(id, 'a', next).catch((error: Error) => error.message)
    const changed = await table.putWorkload(id, copy('a', 'stopped')).catch((error: Error) => error.message)

    // then
    expect([added, replaced, changed]).to.deep.equal(Array(3).fill('no space left on device'))
    expect(table.get(id)?.workloads).to.deep.equal([copy('a', 'stopped')])
  })

  it('forgets a tombstone when its time is over, also while it runs, and nothing else', async () => {
    // given
    const store = memoryStore()
    const table = new ManifestTable(store)
    const named = (first: number, more: Partial<StoredManifest>) => ({
      ...manifest([]),
      manifestId: new Uint8Array(36).fill(first),
      notAfterMs: 10,
      ...more
    })
    await table.put(named(1, { tombstone: true }))
    await table.put(named(2, { tombstone: true, notAfterMs: 11 }))
    await table.put(named(3, { tombstone: true, workloads: [copy('a', 'stopping')] }))
    await table.put(named(4, {}))

    // when
    await table.sweep(11)

    // then
    const held = (one: ManifestTable) => one.all().map(({ manifestId }) => manifestId[0])
    expect(held(table)).to.deep.equal([2, 3, 4])
    const reopened = new ManifestTable(store)
    await reopened.open(11)
    expect(held(reopened)).to.have.members([2, 3, 4])
  })
})

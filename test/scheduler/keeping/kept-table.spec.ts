import { expect } from 'chai'
import { KeptTable } from '../../../src/scheduler/keeping/kept-table.ts'
import type { CheckedRecord } from '../../../src/scheduler/types.ts'
import { memoryStore, type Store } from '../../../src/store/index.ts'

describe('scheduler: what is kept', () => {
  const record = {
    manifestId: new Uint8Array(36),
    version: 1,
    digest: new Uint8Array(32),
    ownerPeerId: 'owner'
  } as CheckedRecord
  const bundle = { record: new Uint8Array(), sealedKeys: [], sealedShares: [] }

  it('is not known after the disk was full, and new when it is brought again', async () => {
    // given
    let isFull = true
    const store = memoryStore()
    const full: Store = {
      ...store,
      collection: (name, codec) => {
        const own = store.collection(name, codec)
        return {
          ...own,
          put: (key, value) => (isFull ? Promise.reject(new Error('no space left')) : own.put(key, value))
        }
      }
    }
    const table = new KeptTable(full, () => record)
    // when
    const failure: unknown = await table.take(record, bundle, 0).catch((error: unknown) => error)
    // then
    expect(failure).to.be.instanceOf(Error)
    expect(table.get(record.manifestId)).to.equal(undefined)
    isFull = false
    expect(await table.take(record, bundle, 0)).to.equal('new')
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { execa } from 'execa'
import { Key } from 'interface-datastore'
import { jsonCodec, openStore, type Store, StoreError } from '../../src/store/index.ts'

/** A file system of its own, so small that a test can fill it. */
async function smallDisk(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'beemesh-disk-'))
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path])
  return {
    path,
    remove: async () => {
      await execa('umount', [path])
      await rm(path, { recursive: true })
    }
  }
}

describe('store: a full disk', () => {
  let disk: Awaited<ReturnType<typeof smallDisk>>
  let store: Store
  before(function () {
    if (process.getuid?.() === 0) return
    console.error('\n  !!! SKIPPED: only root can make a small disk.\n')
    this.skip()
  })
  beforeEach(async () => {
    disk = await smallDisk()
    store = await openStore(join(disk.path, 'db'))
  })
  afterEach(async () => {
    await store?.close()
    await disk?.remove()
  })

  const entries = () => store.collection<{ text: string }>('entries', jsonCodec())
  const text = 'x'.repeat(1_000)
  /** @returns how many were written before one failed */
  const fill = async () => {
    await writeFile(join(disk.path, 'fill'), Buffer.alloc(4 << 20)).catch(() => {})
    for (let count = 0; ; count++)
      try {
        await entries().put(`filling-${count}`, { text })
      } catch (error) {
        expect(error).to.be.instanceOf(StoreError).with.property('code', 'STORE_WRITE_FAILED')
        return count
      }
  }
  const makeRoom = () => rm(join(disk.path, 'fill'))
  const reopened = async () => {
    await store.close()
    store = await openStore(join(disk.path, 'db'))
    const found = new Set<string>()
    for await (const [key] of entries().entries()) found.add(key)
    return found
  }

  it('what was acknowledged is there after the next start, before it was full and when there was room again', async () => {
    await entries().put('before', { text })
    const count = await fill()
    await makeRoom()
    const after = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await entries().put(`after-${index}`, { text })
        return `after-${index}`
      })
    )
    const filled = Array.from({ length: count }, (_, index) => `filling-${index}`)
    const found = await reopened()
    expect(['before', ...filled, ...after].filter((key) => !found.has(key))).to.deep.equal([])
  })

  it('while it is full all is read as before, and nothing is taken for written', async () => {
    await entries().put('before', { text })
    store.libp2p.put(new Key('/peer'), Uint8Array.of(1))
    await fill()
    for (let count = 0; count < 3; count++) {
      const failure = await entries()
        .put('more', { text })
        .catch((error: unknown) => error)
      expect(failure).to.be.instanceOf(StoreError).with.property('code', 'STORE_WRITE_FAILED')
      expect(await entries().get('before')).to.deep.equal({ text })
      expect(await store.libp2p.get(new Key('/peer'))).to.deep.equal(Uint8Array.of(1))
    }
    await makeRoom()
    expect([...(await reopened())]).not.to.include('more')
  })

  it('is not opened again by what is written after it was closed', async () => {
    await fill()
    await makeRoom()
    await store.close()
    for (let count = 0; count < 2; count++)
      expect(
        await entries()
          .put('late', { text })
          .catch((error: unknown) => error)
      ).to.be.instanceOf(StoreError)
    store = await openStore(join(disk.path, 'db')) // which needs its lock
  })

  it('is also noticed where what libp2p remembers did not fit, and harms nothing that is written later', async () => {
    await writeFile(join(disk.path, 'fill'), Buffer.alloc(4 << 20)).catch(() => {})
    for (let count = 0; count < 512; count++)
      store.libp2p.put(new Key(`/peer/${count}`), new Uint8Array(1_000))
    await new Promise((resolve) => setTimeout(resolve, 200)) // as many are written at once, by nobody who waits
    await makeRoom()
    await entries().put('later', { text })
    expect([...(await reopened())]).to.include('later')
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  OLD_KEY_GRACE_MS,
  openWith,
  type Resealer,
  type Sealed,
  type SealingKey,
  SealingKeyRotation,
  type SealingKeyRotationInit,
  SealingKeyring,
  sealTo
} from '../../src/sealing/index.ts'
import { codeOf } from '../envelope/fixtures.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const about = { info: new Uint8Array([1]), aad: new Uint8Array([2]) }
const secret = new Uint8Array(32).fill(9)

/** One sealed thing on a disk that survives a crash. */
interface Shelf {
  epoch: number
  sealed: Sealed
}

describe('sealing key rotation', () => {
  let folder: string
  let nowMs = 0
  let shelf: Shelf
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beemesh-rotation-'))
    nowMs = 1_000_000
  })
  afterEach(() => rm(folder, { recursive: true }))

  const open = () => SealingKeyring.open(join(folder, 'sealing.key'), { now: () => nowMs })
  const put = async (key: SealingKey) => {
    shelf = { epoch: key.epoch, sealed: await sealTo(key.publicKey, { ...about, plaintext: secret }) }
  }
  const reseal: Resealer = async (from, to) => {
    if (shelf.epoch !== from.epoch) return
    expect(await openWith(from, { ...about, ...shelf.sealed })).to.deep.equal(secret)
    await put(to)
  }
  const rotationOf = (keys: SealingKeyring, more: Partial<SealingKeyRotationInit> = {}) =>
    new SealingKeyRotation({ keys, intervalMs: 7 * DAY_MS, resealers: [reseal], now: () => nowMs, ...more })
  const opens = (keys: SealingKeyring) => openWith(keys.stored.of(shelf.epoch), { ...about, ...shelf.sealed })

  it('happens at the age that was set, and not before', async () => {
    const keys = await open()
    await put(keys.current)
    const told: number[] = []
    const rotation = rotationOf(keys, { onRotated: ({ epoch }) => told.push(epoch) })
    nowMs += 7 * DAY_MS - 1
    await rotation.round()
    expect(keys.current.epoch).to.equal(1)
    nowMs += 1
    await rotation.round()

    expect([keys.current.epoch, shelf.epoch, ...told]).to.deep.equal([2, 2, 2])
    expect(await opens(keys)).to.deep.equal(secret)
  })

  it('never happens by itself with an interval of 0', async () => {
    const keys = await open()
    nowMs += 1_000 * DAY_MS
    await rotationOf(keys, { intervalMs: 0 }).round()

    expect(keys.current.epoch).to.equal(1)
  })

  it('keeps the old key for its grace, then destroys it, and then only', async () => {
    const keys = await open()
    await put(keys.current)
    const old = keys.current
    const rotation = rotationOf(keys)
    await rotation.rotate()
    nowMs += OLD_KEY_GRACE_MS - 1
    await rotation.round()
    expect(keys.of(1), 'an owner may just have sealed to it').to.equal(old)
    await put(old) // what came in meanwhile
    nowMs += 1
    await rotation.round()

    expect(codeOf(() => keys.of(1))).to.equal('SEALING_KEY_GONE')
    expect(await opens(keys)).to.deep.equal(secret)
    await expectGone(old)
  })

  it('takes along what was opened with the old key before it went, and is stored after', async () => {
    const keys = await open()
    await put(keys.current)
    const old = keys.current
    const rotation = rotationOf(keys, {
      onStep: (step) => {
        if (step === 'retired') shelf = late
      }
    })
    const late: Shelf = { epoch: 1, sealed: await sealTo(old.publicKey, { ...about, plaintext: secret }) }
    await rotation.rotate()
    nowMs += OLD_KEY_GRACE_MS
    await rotation.round()

    expect(keys.older).to.deep.equal([])
    expect(await opens(keys)).to.deep.equal(secret)
  })

  it('keeps the old key as long as something cannot be sealed to the new one', async () => {
    const keys = await open()
    await put(keys.current)
    let broken = true
    const store: Resealer = async () => {
      if (broken) throw new Error('the disk is full')
    }
    const rotation = rotationOf(keys, { resealers: [reseal, store] })
    expect(await rotation.rotate().catch((error: Error) => error.message)).to.equal('the disk is full')
    nowMs += 2 * OLD_KEY_GRACE_MS
    expect(await rotation.round().catch((error: Error) => error.message)).to.equal('the disk is full')
    expect(keys.of(1).epoch).to.equal(1)
    broken = false
    await rotation.round()
    expect(keys.of(1).epoch, 'its grace begins now').to.equal(1)
    nowMs += OLD_KEY_GRACE_MS
    await rotation.round()

    expect(keys.older).to.deep.equal([])
  })

  for (const step of ['made', 'resealed', 'noted', 'retired', 'resealed-again', 'destroyed'] as const)
    it(`is finished by the next start when the node dies after "${step}"`, async () => {
      const keys = await open()
      await put(keys.current)
      const dying = rotationOf(keys, {
        onStep: (reached) => {
          if (reached === step) throw new Error('killed')
        }
      })
      const killed = (error: Error) => expect(error.message).to.equal('killed')
      await dying.rotate().catch(killed)
      nowMs += OLD_KEY_GRACE_MS
      await dying.round().catch(killed)

      const after = await open() // what the next process finds
      expect(await opens(after), 'nothing is lost before').to.deep.equal(secret)
      const rotation = rotationOf(after)
      await rotation.round()
      nowMs += OLD_KEY_GRACE_MS
      await rotation.round()

      expect(await opens(after)).to.deep.equal(secret)
      expect(after.older).to.deep.equal([])
      expect([after.current.epoch, shelf.epoch]).to.deep.equal([2, 2])
    })

  it('three times in a row leaves what is sealed readable, and the old keys go one after the other', async () => {
    const keys = await open()
    await put(keys.current)
    const rotation = rotationOf(keys)
    for (let time = 0; time < 3; time++) {
      await rotation.rotate()
      nowMs += 1_000
    }
    expect(keys.older.map(({ key }) => key.epoch)).to.deep.equal([1, 2, 3])
    expect(await opens(await open())).to.deep.equal(secret)
    nowMs += OLD_KEY_GRACE_MS
    await rotation.round()

    expect(keys.older).to.deep.equal([])
    expect(await opens(keys)).to.deep.equal(secret)
  })

  it('starts the grace anew when the clock went back, so that no key is kept for years', async () => {
    const keys = await open()
    await put(keys.current)
    const rotation = rotationOf(keys, { intervalMs: 0 })
    nowMs += 1_000 * DAY_MS
    await rotation.rotate()
    nowMs -= 1_000 * DAY_MS
    await rotation.round()
    nowMs += OLD_KEY_GRACE_MS
    await rotation.round()

    expect(keys.older).to.deep.equal([])
  })

  async function expectGone(key: SealingKey): Promise<void> {
    const sealed = await sealTo(key.publicKey, { ...about, plaintext: secret })
    const error = await openWith(key, { ...about, ...sealed }).catch((thrown) => thrown)
    expect(error).to.have.property('code', 'SEALING_KEY_INVALID')
  }
})

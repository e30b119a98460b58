import { expect } from 'chai'
import { signTombstone } from '../../../src/client/index.ts'
import { generateSigningKey } from '../../../src/identity/index.ts'
import { OFFER_INTERVAL_MS, OFFER_RETRY_MS } from '../../../src/scheduler/constants.ts'
import { openFact, signFact } from '../../../src/scheduler/facts/prove.ts'
import { checkRecord } from '../../../src/scheduler/keeping/check-record.ts'
import { ownersOnly } from '../../../src/trust/index.ts'
import { NETWORK, NOW_MS, OWNER } from '../../envelope/fixtures.ts'
import { bundleOf, createKeepers, type Oddity } from '../world-of-keepers.ts'

type Keepers = ReturnType<typeof createKeepers>

/** Four keepers, nearest first, and a version that none of them has. */
async function ranked(oddity: Oddity = {}) {
  const bundle = await bundleOf('localhost/one:1')
  const record = checkRecord(bundle.record, {
    networkId: NETWORK.id,
    trust: ownersOnly(new Set([OWNER.peerId]))
  })
  const all = createKeepers(4, oddity)
  const keepers = all[0]!.keeping
    .ranked(record.manifestId)
    .map(({ peerId }) => all.find((one) => one.peerId === peerId)!)
  return { keepers: keepers as [Keepers[0], ...Keepers], bundle, record }
}

/** The nearest has it. */
async function nearestHasIt(oddity: Oddity = {}) {
  const { keepers, bundle, record } = await ranked(oddity)
  const [nearest] = keepers
  await nearest.keeping.take(record, bundle, { from: '' })
  const offer = () => nearest.keeping.offer(nearest.kept.all()[0]!)
  return {
    keepers,
    record,
    bundle,
    nearest,
    farthest: keepers.at(-1)!,
    offer,
    count: () => keepers.map(({ kept }) => kept.all().length)
  }
}

describe('scheduler: offering what is kept to the other keepers', () => {
  it('one that runs it, and does not keep it yet, comes to keep it', async () => {
    const running: { peerId?: string } = {}
    const { farthest, offer, count } = await nearestHasIt({
      runs: (peerId) => peerId === running.peerId
    })
    running.peerId = farthest.peerId
    await offer()
    expect(count()).to.deep.equal([1, 1, 1, 1])
  })

  // found by npm run chaos: it went on to start copies of the version before
  it('one that runs it, and keeps the version before, comes to keep it', async () => {
    const running: { peerId?: string } = {}
    const { record, farthest, offer } = await nearestHasIt({ runs: (peerId) => peerId === running.peerId })
    const before = await bundleOf('localhost/one:1', NOW_MS - 1)
    const known = { networkId: NETWORK.id, trust: ownersOnly(new Set([OWNER.peerId])) }
    await farthest.keeping.take(checkRecord(before.record, known), before, { from: '' })
    running.peerId = farthest.peerId

    await offer()

    expect(farthest.kept.all().map((kept) => kept.record.version)).to.deep.equal([record.version])
  })

  // found by npm run chaos: it went on to bury what had been applied again since
  it('one that offers a tombstone is given the version that came after it', async () => {
    const keepers = createKeepers(4)
    const known = { networkId: NETWORK.id, trust: ownersOnly(new Set([OWNER.peerId])) }
    const bundle = await bundleOf('localhost/one:1')
    const record = checkRecord(bundle.record, known)
    const { manifestId, version } = record
    const about = { key: OWNER, networkId: NETWORK.id, version: version - 1, nowMs: NOW_MS, fenceKeepers: [] }
    const tombstone = signTombstone(manifestId, about)
    const [nearest, ...others] = keepers[0]!.keeping
      .ranked(manifestId)
      .map(({ peerId }) => keepers.find((one) => one.peerId === peerId)!)
    const dead = { record: tombstone, sealedKeys: [], sealedShares: [] }
    await nearest!.keeping.take(checkRecord(tombstone, known), dead, { from: '' })
    for (const { keeping } of others) await keeping.take(record, bundle, { from: '' })

    await nearest!.keeping.offer(nearest!.kept.all()[0]!)
    await new Promise((resolve) => setTimeout(resolve, 20))

    expect(nearest!.kept.all().map((kept) => kept.record.version)).to.deep.equal([version])
  })

  // found by npm run chaos: it had been away when a Job was done, and had it done again
  it('one that offers learns what is done from those who know', async () => {
    const { record, bundle, nearest, farthest, offer } = await nearestHasIt()
    await farthest.keeping.take(record, bundle, { from: '' })
    const said = { version: record.version, copies: [], schedule: [], since: 0, slot: 0, openSlots: [] }
    const world = {
      key: generateSigningKey(),
      networkId: NETWORK.id,
      now: () => NOW_MS,
      neighbours: () => []
    }
    const bytes = await signFact({ ...world, workloads: {} as never }, record.manifestId, said)
    const fact = openFact(bytes!, { ...world, isMember: () => true }, [record])!
    await farthest.kept.facts.take(record.manifestId, [fact])

    await offer()

    const known = nearest.kept.facts.of(record.manifestId)
    expect(known.map(({ author }) => author)).to.deep.equal([world.key.peerId])
  })

  it('one that could not be reached is offered it again soon, and then no more until its time comes', async () => {
    let nowMs = NOW_MS
    let isCut = true
    let asked = 0
    const { farthest, offer, count } = await nearestHasIt({
      now: () => nowMs,
      onAsk: (peerId) => {
        asked++
        if (isCut && peerId === farthest.peerId) throw new Error('cut')
      }
    })
    await offer()
    expect(count().reduce((sum, one) => sum + one)).to.equal(3)
    expect(offer()).to.equal(undefined)

    isCut = false
    nowMs += OFFER_RETRY_MS
    await offer()
    expect(count()).to.deep.equal([1, 1, 1, 1])

    asked = 0
    nowMs = NOW_MS + OFFER_INTERVAL_MS - 1
    expect([offer(), asked]).to.deep.equal([undefined, 0])
  })

  it('one that stays away is asked less and less', async () => {
    let nowMs = NOW_MS
    const asked: number[] = []
    const { farthest, offer } = await nearestHasIt({
      now: () => nowMs,
      onAsk: (peerId) => {
        if (peerId !== farthest.peerId) return
        asked.push((nowMs - NOW_MS) / 1000)
        throw new Error('cut')
      }
    })
    for (; nowMs < NOW_MS + 2 * OFFER_INTERVAL_MS; nowMs += 1_000) await offer()
    expect(asked).to.deep.equal([0, 2, 6, 14, 30, 60, 90, 120, 150, 180, 210])
  })

  // found by npm run chaos: nobody followed the load, because the nearest alone decides on that
  describe('the nearest is the one that nobody could reach at first', () => {
    const lookFor = async (ms: number, { hasNearest }: { hasNearest: boolean }) => {
      let nowMs = NOW_MS
      const asked: number[] = []
      const { keepers, bundle, record } = await ranked({
        now: () => nowMs,
        onAsk: (peerId, { ciphertext }) => {
          if (peerId === keepers[0].peerId && ciphertext === undefined) asked.push((nowMs - NOW_MS) / 1000)
        }
      })
      const [nearest, ...others] = keepers
      for (const { keeping } of hasNearest ? keepers : others)
        await keeping.take(record, bundle, { from: '' })
      for (; nowMs < NOW_MS + ms; nowMs += 1_000)
        for (const { keeping, kept } of keepers) for (const one of kept.all()) await keeping.offer(one)
      return { asked, has: nearest.kept.all().length }
    }

    it('the next one offers it there soon, and it offers it to the others', async () => {
      const { asked, has } = await lookFor(30_000, { hasNearest: false })
      expect([asked, has]).to.deep.equal([[2 * (OFFER_RETRY_MS / 1000)], 1])
    })

    it('nobody asks it when it was reached, because it offers it itself', async () => {
      const { asked, has } = await lookFor(30_000, { hasNearest: true })
      expect([asked, has]).to.deep.equal([[], 1])
    })
  })
})

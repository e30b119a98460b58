import { expect } from 'chai'
import fc from 'fast-check'
import {
  assertShare,
  combineShares,
  generateSealingKey,
  keyCommitment,
  type OpenShare,
  openReleased,
  openShare,
  resealShare,
  type SealingKey,
  type ShareCommitment,
  sealReleased,
  splitContentKey
} from '../../src/sealing/index.ts'
import { bytesOf, codeOf, codeOfAsync, NETWORK, NODE, OWNER, STRANGER } from '../envelope/fixtures.ts'

const MANIFEST = {
  networkId: NETWORK.id,
  owner: OWNER.publicKey,
  manifestId: bytesOf('manifest', 36),
  version: 1_800_000_000_001
}
const KEY = bytesOf('content key', 32)
const COMMITMENT = keyCommitment(MANIFEST, KEY)

interface Holder {
  readonly key: SealingKey
  readonly share: OpenShare
  readonly commitment: ShareCommitment
}

async function threeOfFive() {
  const keys = await Promise.all(Array.from({ length: 5 }, () => generateSealingKey({ epoch: 4 })))
  const holders = keys.map(({ publicKey, epoch }, i) => ({
    publicKey: bytesOf(`holder ${i}`, 32),
    sealingKey: publicKey,
    sealingEpoch: epoch
  }))
  const split = await splitContentKey({ ...MANIFEST, key: KEY, threshold: 3, holders })
  const opened: Holder[] = []
  for (const [i, sealed] of split.sealed.entries()) {
    const [commitment, key] = [split.commitments[i]!, keys[i]!]
    opened.push({
      key,
      commitment,
      share: await openShare({ ...MANIFEST, sealed, commitment, sealingKey: key })
    })
  }
  return { ...split, holders: opened }
}

const rebuild = (shares: readonly OpenShare[]) =>
  combineShares({ ...MANIFEST, shares, threshold: 3, commitment: COMMITMENT })

describe('shares of a content key', () => {
  it('rebuild it, any three of five', async () => {
    const { holders } = await threeOfFive()

    for (const [a, b, c] of [
      [0, 1, 2],
      [4, 2, 0],
      [1, 3, 4]
    ] as const)
      expect(await rebuild([holders[a]!.share, holders[b]!.share, holders[c]!.share])).to.deep.equal(KEY)
  })

  it('say nothing when they are one too few, whatever is tried as the third', async () => {
    const { holders } = await threeOfFive()
    const [first, second] = holders.map(({ share }) => share)

    expect(await codeOfAsync(() => rebuild([first!, second!]))).to.equal('SHARE_INVALID')
    expect(await codeOfAsync(() => rebuild([first!, second!, second!]))).to.equal('SHARE_INVALID')
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 33, maxLength: 33 }), async (share) => {
        expect(await codeOfAsync(() => rebuild([first!, second!, { index: 3, share }]))).to.equal(
          'SHARE_INVALID'
        )
      }),
      { numRuns: 200 }
    )
  })

  it('name the holder whose share was changed, before anything is combined', async () => {
    const { holders } = await threeOfFive()
    const [{ share, commitment }] = holders as [Holder]
    for (let bit = 0; bit < 33 * 8; bit++) {
      const bytes = Uint8Array.from(share.share)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(codeOf(() => assertShare(MANIFEST, { ...share, share: bytes }, commitment))).to.equal(
        'SHARE_INVALID'
      )
    }
    const other = holders[1]!
    expect(codeOf(() => assertShare(MANIFEST, other.share, commitment))).to.equal('SHARE_INVALID')
    expect(codeOf(() => assertShare({ ...MANIFEST, version: 1 }, share, commitment))).to.equal(
      'SHARE_INVALID'
    )
  })

  it('refuse a share at zero, which would be a key that its maker chose', async () => {
    const chosen = new Uint8Array(33)
    chosen.set(bytesOf('chosen', 32))
    const { shareCommitment } = await import('../../src/sealing/index.ts')
    const commitment = {
      index: 1,
      node: NODE.publicKey,
      commitment: shareCommitment(MANIFEST, { index: 1, share: chosen })
    }

    expect(codeOf(() => assertShare(MANIFEST, { index: 1, share: chosen }, commitment))).to.equal(
      'SHARE_INVALID'
    )
  })

  it('open for their holder alone, and for this version alone', async () => {
    const { sealed, commitments, holders } = await threeOfFive()
    const stranger = await generateSealingKey({ epoch: 4 })
    const about = { ...MANIFEST, sealed: sealed[0]!, commitment: commitments[0]! }

    expect(await codeOfAsync(() => openShare({ ...about, sealingKey: stranger }))).to.equal('OPEN_FAILED')
    expect(await codeOfAsync(() => openShare({ ...about, sealingKey: holders[1]!.key }))).to.equal(
      'OPEN_FAILED'
    )
    expect(
      await codeOfAsync(() => openShare({ ...about, version: 7, sealingKey: holders[0]!.key }))
    ).to.equal('OPEN_FAILED')
  })

  it('are sealed anew to the next key of their holder', async () => {
    const { sealed, commitments, holders } = await threeOfFive()
    const to = await generateSealingKey({ epoch: 5 })
    const about = { ...MANIFEST, commitment: commitments[0]! }
    const again = await resealShare({ ...about, sealed: sealed[0]!, from: holders[0]!.key, to })

    expect(again.sealingEpoch).to.equal(5)
    expect(await openShare({ ...about, sealed: again, sealingKey: to })).to.deep.equal(holders[0]!.share)
  })

  it('are refused in numbers that make no sense', async () => {
    const { publicKey } = await generateSealingKey({ epoch: 1 })
    const holder = { publicKey: NODE.publicKey, sealingKey: publicKey, sealingEpoch: 1 }
    for (const [threshold, count] of [
      [1, 5],
      [3, 2],
      [2, 17]
    ] as const)
      expect(
        await codeOfAsync(() =>
          splitContentKey({ ...MANIFEST, key: KEY, threshold, holders: Array(count).fill(holder) })
        )
      ).to.equal('SHARE_INVALID')
  })

  it('are given to the node that asked, by the one that gives them, and open for nobody else', async () => {
    const [{ share }] = (await threeOfFive()).holders as [Holder]
    const asker = await generateSealingKey({ epoch: 1 })
    const between = {
      ...MANIFEST,
      releaser: NODE.publicKey,
      recipient: STRANGER.publicKey,
      index: share.index
    }
    const given = await sealReleased({ ...between, secret: share.share, sealingPublicKey: asker.publicKey })
    const open = (changed: object) => openReleased({ ...between, ...given, sealingKey: asker, ...changed })

    expect(await open({})).to.deep.equal(share.share)
    for (const changed of [
      { index: 2 },
      { releaser: OWNER.publicKey },
      { recipient: OWNER.publicKey },
      { version: 1 }
    ])
      expect(await codeOfAsync(() => open(changed))).to.equal('OPEN_FAILED')
  })
})

import { expect } from 'chai'
import { checkRecord } from '../../src/scheduler/keeping/check-record.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import { NETWORK, NOW_MS, OWNER } from '../envelope/fixtures.ts'
import { bundleOf, createKeepers } from './world-of-keepers.ts'

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

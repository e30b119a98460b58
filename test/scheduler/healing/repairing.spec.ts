import { expect } from 'chai'
import type { Count, LiveCopy } from '../../../src/scheduler/healing/count.ts'
import { Repairing, type RepairingInit } from '../../../src/scheduler/healing/repairing.ts'
import type { Watched } from '../../../src/scheduler/healing/watched.ts'
import type { Kept } from '../../../src/scheduler/types.ts'

const record = {
  manifestId: new Uint8Array(36),
  version: 2,
  replicas: 1,
  maxCopies: 0,
  perNode: false,
  onPartition: 'keep',
  onNodeLoss: 'recreate',
  fenceKeepers: []
}
const kept = { record, bundle: {}, keptAtMs: 0 } as unknown as Kept
const copy = (peerId: string, ordinal: number) =>
  ({ peerId, ordinal, version: 1, highest: 1, isReady: true }) as LiveCopy

/** A keeper, and what it asked whom; everything around it is a mock. */
function keeper() {
  const assigned: unknown[] = []
  const world = {
    now: () => 1_000_000,
    neighbours: () => [],
    log: () => {},
    asks: {
      assign: async (peerId: string, { ordinals }: { ordinals: readonly number[] }) => {
        assigned.push([peerId, ordinals])
        return {}
      }
    }
  }
  const repairing = new Repairing({
    world,
    kept: { facts: { of: () => [] } },
    signal: new AbortController().signal,
    scaler: { isNew: () => false },
    sinceMs: 0,
    tell: () => {}
  } as unknown as RepairingInit)
  return { repairing, assigned }
}

describe('scheduler: what a keeper does', () => {
  // found by npm run chaos: the first node had a copy that the newest version has none of
  it('brings the newest version to the next node when there is nothing to bring to the first', async () => {
    const { repairing, assigned } = keeper()
    const outdated = [copy('a', 1), copy('b', 0)]
    const count = { missing: [], outdated, surplus: [], live: outdated }

    await repairing.update(kept, { mayUpdate: () => true } as unknown as Watched, count)

    expect(assigned).to.deep.equal([['b', [0]]])
  })

  it('looks for a node for what is missing only while fewer copies are seen than the record allows', async () => {
    const { repairing } = keeper()
    const watched = {
      liveVersion: 2,
      pending: () => undefined,
      avoid: () => {
        throw new Error('asks for bids')
      }
    } as unknown as Watched
    const replaceBeside = (live: readonly LiveCopy[]) =>
      repairing.replace(kept, watched, { missing: [0], outdated: [], surplus: [], live } as Count).then(
        () => 'nothing',
        ({ message }: Error) => message
      )

    expect(await replaceBeside([copy('a', 1)])).to.equal('asks for bids')
    expect(await replaceBeside([copy('a', 1), copy('b', 1)])).to.equal('nothing')
  })
})

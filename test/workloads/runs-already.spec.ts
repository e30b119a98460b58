import { expect } from 'chai'
import { runsAlready } from '../../src/workloads/accept/compare.ts'
import type { Release, StoredManifest } from '../../src/workloads/index.ts'

describe('workloads: a version that says the same as what is here', () => {
  it('goes on with it unless one that came in between passed this node by', () => {
    const content = { digest: new Uint8Array(32) }
    const stored = (passedBy?: number) =>
      ({ version: 1, content, workloads: [], passedBy }) as unknown as StoredManifest
    const wanted = (version: number) => ({ version, content, workloads: [] }) as unknown as Release
    expect(runsAlready(stored(), wanted(3))).to.equal(true)
    // its keepers often hear of a version before its nodes
    expect(runsAlready(stored(3), wanted(3))).to.equal(true)
    expect(runsAlready(stored(2), wanted(3))).to.equal(false)
  })
})

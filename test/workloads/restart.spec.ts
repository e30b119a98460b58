import { expect } from 'chai'
import type { Context } from '../../src/workloads/context.ts'
import { Restarter } from '../../src/workloads/copies/restart.ts'
import type { StoredManifest, StoredWorkload } from '../../src/workloads/types.ts'

describe('workloads: restarts', () => {
  it('of a copy that is gone are forgotten, or a node would remember everything that ever crashed on it', async () => {
    // given: a copy that crashes, in a table that has it
    const stop = new AbortController()
    const copy: StoredWorkload = { workloadId: 'a', ordinal: 0, engine: 'mock', state: 'running', ports: [] }
    let live = [{ workloads: [copy] }] as unknown as StoredManifest[]
    const table = { live: () => live, get: () => undefined, putWorkload: async () => {} }
    const context = {
      ...{ table, now: () => 0, signal: stop.signal, emit: () => {} },
      providers: { withdraw: () => {} },
      lanes: { run: async () => {} }
    } as unknown as Context
    const restarter = new Restarter(context)
    const manifest = {
      manifestId: new Uint8Array(36),
      workloads: [copy],
      kind: 'Pod'
    } as unknown as StoredManifest
    await restarter.schedule(manifest, copy, { containers: [], reason: 'it ended' })

    // when, then
    restarter.tidy()
    expect(restarter.remembered).to.equal(1)
    live = []
    restarter.tidy()
    expect(restarter.remembered).to.equal(0)
    stop.abort()
  })
})

import { expect } from 'chai'
import type { Context } from '../../src/workloads/context.ts'
import { Restarter } from '../../src/workloads/copies/restart.ts'
import type { StoredManifest, StoredWorkload } from '../../src/workloads/types.ts'

/** CIDv1, raw, sha2-256 */
const ID = Uint8Array.from({ length: 36 }, (_, at) => [1, 0x55, 0x12, 32][at] ?? 0)

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

  // found by npm run chaos: the failed write was nobody's to hear of, which ends a process
  it('that cannot be written down, because the disk is full, are tried all the same', async () => {
    // given: a copy that ended, and neither a write nor a start works
    const stop = new AbortController()
    const copy: StoredWorkload = { workloadId: 'a', ordinal: 0, engine: 'mock', state: 'failed', ports: [] }
    const manifest = { manifestId: ID, workloads: [copy], kind: 'Pod' } as unknown as StoredManifest
    const tried = Promise.withResolvers<void>()
    const full = async () => {
      throw new Error('no space left on device')
    }
    const context = {
      ...{ now: () => 0, signal: stop.signal, emit: () => {}, log: { error: () => {} } },
      table: { live: () => [manifest], get: () => manifest, putWorkload: full },
      providers: { withdraw: () => {} },
      lanes: { run: (_lane: string, act: () => Promise<void>) => act().finally(() => tried.resolve()) }
    } as unknown as Context
    const restarter = new Restarter(context)

    // when
    await restarter.schedule(manifest, copy, { containers: [], reason: 'it ended' })
    await tried.promise

    // then
    expect(restarter.isDue('a')).to.equal(true)
    stop.abort()
  })
})

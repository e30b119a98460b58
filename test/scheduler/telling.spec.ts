import { expect } from 'chai'
import { decode, openObject } from '../../src/envelope/index.ts'
import { DONE_STATEMENT, type KeepRequestInit, PROVEN_DONE } from '../../src/generated/fbs/index.ts'
import { Telling, type TellingInit } from '../../src/scheduler/facts/telling.ts'
import type { StoredManifest } from '../../src/workloads/index.ts'
import { bytesOf, NETWORK, NOW_MS, OWNER } from '../envelope/fixtures.ts'
import { quietLogger } from '../fixtures/quiet-logger.ts'

const manifestId = new Uint8Array(36)

/** A node with the schedule of a CronJob, and the schedules that its one keeper heard it claim; everything around it is a mock. */
function teller() {
  const cron = { schedule: '* * * * *' }
  const part = {
    version: 2,
    workloads: [],
    slotOrdinals: [0],
    acceptedAtMs: NOW_MS,
    recordDigest: bytesOf('digest', 32)
  }
  const node = {
    stored: {
      manifestId,
      cron,
      tombstone: false,
      record: new Uint8Array(1),
      ...part
    } as unknown as StoredManifest,
    isCutOff: false,
    heard: [] as (readonly number[])[],
    /** As a keeper has it look: another one starts the runs. */
    handOver() {
      node.stored = { ...node.stored, tombstone: true, handedOver: true }
    }
  }
  const world = {
    key: OWNER,
    networkId: NETWORK.id,
    log: quietLogger,
    now: () => NOW_MS,
    neighbours: () => [],
    workloads: {
      list: () => (node.stored.tombstone ? [] : [node.stored]),
      get: () => node.stored,
      contentKeyOf: async () => bytesOf('content key', 32)
    },
    asks: {
      keep: async (_peerId: string, { facts = [] }: KeepRequestInit) => {
        if (node.isCutOff) throw new TypeError('nobody answers')
        for (const { value } of facts) {
          const { body } = openObject(value, { kind: 'done', networkId: NETWORK.id })
          node.heard.push(decode(DONE_STATEMENT, decode(PROVEN_DONE, body).statement).schedule)
        }
        return { highest: 2 }
      }
    }
  }
  const telling = new Telling({
    world,
    kept: {},
    keeping: { ranked: () => [{ peerId: 'keeper', self: false }] },
    signal: new AbortController().signal
  } as unknown as TellingInit)
  return { node, telling }
}

describe('scheduler: what a node tells of its part of a CronJob', () => {
  it('is told once, and what it hands over is taken back', async () => {
    const { node, telling } = teller()
    await telling.look()
    await telling.look()
    node.handOver()
    await telling.look()
    await telling.look()
    expect(node.heard).to.deep.equal([[0], []])
  })

  // found by npm run chaos: two nodes had handed it to each other, and nobody started a run any more
  it('is taken back, too, when what it had told before did not come to all', async () => {
    const { node, telling } = teller()
    node.isCutOff = true
    await telling.look()
    node.handOver()
    await telling.look()
    node.isCutOff = false
    await telling.look()
    await telling.look()
    expect(node.heard).to.deep.equal([[]])
  })
})

/**
 * `npm run bench:place [-- ROUNDS [MANIFESTS]]`: what choosing nodes takes, and whether many copies end up evenly.
 *
 *   one copy       in meshes of 10, 30 and 100 nodes in this process: from the request for bids to the plan, and how many bid. Bound: the
 *                  selection window and 100 ms in the median, and bids bounded. Real streams on the memory transport and signed bids, one
 *                  node in the middle (bench/place/star.ts).
 *   many copies    MANIFESTS of three copies each under `spread`, applied through one node of a mesh of 10 whole nodes in this process with
 *                  the mock engine: placements a second, and copies on the fullest node against the mean. Bound: 1.2.
 */

import type { BidRequest } from '../src/generated/fbs/index.ts'
import { parseManifests } from '../src/index.ts'
import { openBid } from '../src/scheduler/bids/bid.ts'
import { collectBids } from '../src/scheduler/bids/collect-bids.ts'
import { SELECTION_WINDOW_MS } from '../src/scheduler/constants.ts'
import { capacityRequest, plan, rulesOf } from '../src/scheduler/index.ts'
import { createMesh } from '../test/fixtures/create-mesh.ts'
import { deployment, toYaml } from '../test/fixtures/workload-files.ts'
import { percentile } from './heal/figures.ts'
import { openStar } from './place/star.ts'

const SIZES = [10, 30, 100]
const NODES = 10
const REPLICAS = 3
const BOUND_MS = SELECTION_WINDOW_MS + 100
const BALANCE_BOUND = 1.2
const WARM_ROUNDS = 3

const rounds = Number(process.argv[2] ?? 50)
const manifests = Number(process.argv[3] ?? 200)
let missed = false

async function placeOne(size: number): Promise<void> {
  const star = await openStar(size)
  try {
    const { world } = star
    const perCopy = { cpuMillis: 100, memoryBytes: 64 * 2 ** 20, storageBytes: 0 }
    const [times, bidders, askedOf]: [number[], number[], number[]] = [[], [], []]
    for (let round = -WARM_ROUNDS; round < rounds; round++) {
      const startedAt = performance.now()
      const request = capacityRequest({ ...perCopy, copies: 1 }) as BidRequest
      const { bids, asked } = await collectBids(world, request, { signal: AbortSignal.timeout(10_000) })
      const about = { networkId: world.networkId, requestId: request.requestId }
      const candidates = bids.flatMap(
        ({ bid, roundTripMs = 0 }) => openBid(bid, { ...about, roundTripMs }) ?? []
      )
      const made = plan(
        { candidates },
        { rules: rulesOf(undefined), perCopy, ordinals: [0], perNode: false },
        Math.random
      )
      if (made.assignments.length !== 1) throw new Error(`nothing was placed: ${made.summary}`)
      if (round < 0) continue
      times.push(performance.now() - startedAt)
      bidders.push(candidates.length)
      askedOf.push(asked)
    }
    const median = percentile(times, 0.5)
    if (median > BOUND_MS) missed = true
    console.log(
      `one copy, ${size} nodes: median ${median.toFixed(0)} ms, p95 ${percentile(times, 0.95).toFixed(0)} ms (bound ${BOUND_MS}); ${Math.max(...askedOf)} asked, bids ${Math.min(...bidders)} to ${Math.max(...bidders)}, n=${rounds}`
    )
  } finally {
    await star.close()
  }
}

async function placeMany(): Promise<void> {
  const mesh = await createMesh(NODES)
  try {
    const client = await mesh.client(0)
    const annotations = { 'beemesh.io/strategy': 'spread' }
    const documents = Array.from({ length: manifests }, (_, index) =>
      deployment({ name: `many-${index}`, replicas: REPLICAS, annotations })
    )
    const startedAt = performance.now()
    const results = await client.apply(documents.flatMap((one) => parseManifests(toYaml(one))))
    const tookMs = performance.now() - startedAt
    const placements = results.flatMap((one) => one.placements)
    const running = placements.filter(({ state }) => state === 'running' || state === 'ready')
    const errors = new Set(placements.flatMap(({ error }) => error?.code ?? []))
    const perNode = mesh.nodes.map(({ peerId }) => running.filter((one) => one.peerId === peerId).length)
    const balance = Math.max(...perNode) / (running.length / NODES)
    const doubled = results.filter(
      (one) => new Set(one.placements.map(({ peerId }) => peerId)).size < REPLICAS
    )
    if (balance > BALANCE_BOUND || running.length < manifests * REPLICAS) missed = true
    console.log(
      `${manifests} manifests of ${REPLICAS} copies on ${NODES} nodes: ${running.length} of ${manifests * REPLICAS} run after ${(tookMs / 1000).toFixed(1)} s${[...errors].map((code) => `, ${code}`).join('')}; ${((1000 * running.length) / tookMs).toFixed(0)} placements a second; fullest node against the mean ${balance.toFixed(2)} (bound ${BALANCE_BOUND}): ${perNode}; with two copies on one node ${doubled.length}`
    )
  } finally {
    await mesh.close()
  }
}

for (const size of SIZES) await placeOne(size)
await placeMany()
if (missed) process.exitCode = 1

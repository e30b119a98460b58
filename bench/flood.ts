/**
 * `npm run bench:flood [RATE] [SECONDS]`: lookups of a node while a process of its own offers it RATE hostile messages a second. The node
 * and the provider it looks for live in this process; every 20 ms it asks the provider anew (no cache), before and during.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import type { GossipSub } from '@libp2p/gossipsub'
import { networkTag, openNetwork } from '../src/identity/index.ts'
import { createMesh } from '../test/fixtures/create-mesh.ts'

const [rate = '10000', seconds = '10'] = process.argv.slice(2)
const mesh = await createMesh(2)
try {
  const [victim, provider] = mesh.nodes
  const address = victim!.addresses()[0]!
  const id = new Uint8Array([0x01, 0x55, 0x12, 0x20, ...randomBytes(32)])
  const workload = { workloadId: 'bench-0', ordinal: 0, state: 'running', engine: 'mock' } as const
  provider!.services.providers.announce(id, () => ({ version: 1, workloads: [workload] }))
  const lookups = async (until: Promise<unknown>) => {
    const times: number[] = []
    let failed = 0
    let going = true
    void until.finally(() => {
      going = false
    })
    while (going) {
      const startedAt = performance.now()
      const views = await victim!.services.providers.find(id, { fresh: true, limit: 1 })
      if (views.length === 0) failed++
      times.push(performance.now() - startedAt)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    times.sort((a, b) => a - b)
    const at = (share: number) =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(1)
    return `${times.length} lookups, ${failed} failed, median ${at(0.5)} ms, p99 ${at(0.99)} ms`
  }
  const quiet = await lookups(new Promise((resolve) => setTimeout(resolve, 3_000)))
  console.log(`quiet: ${quiet}`)
  const verdicts = countVerdicts()
  const program = new URL('flood-attacker.ts', import.meta.url).pathname
  const attacker = spawn(process.execPath, [program, address, rate, seconds], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const said = createInterface(attacker.stdout)[Symbol.asyncIterator]()
  await said.next() // it has signed everything and begins
  const attack = said.next()
  const flooded = await lookups(attack)
  console.log(`flooded: ${flooded}`)
  console.log(`the attacker: ${(await attack).value}; judged here: ${JSON.stringify(verdicts)}`)

  function countVerdicts(): Record<string, number> {
    const counts: Record<string, number> = { accept: 0, ignore: 0, reject: 0 }
    const topic = `/beemesh/${networkTag(openNetwork('in-process'))}/events`
    const { topicValidators } = (victim!.libp2p.services as unknown as { pubsub: GossipSub }).pubsub
    const judge = topicValidators.get(topic)!
    topicValidators.set(topic, async (peer, message) => {
      const verdict = await judge(peer, message)
      counts[verdict] = (counts[verdict] ?? 0) + 1
      return verdict
    })
    return counts
  }
} finally {
  await mesh.close()
}
process.exit(0)

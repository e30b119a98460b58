/**
 * Second part of `npm run bench:detect`: what probing costs where nothing happens. Twenty nodes with the mock engine in one process,
 * all connected to all, first while everybody is probed every second, then when all are idle. Bytes are those of the
 * sockets, without TCP's own. What else the nodes do (gossip, DHT) is the same in both, so the difference is 4/5 of the probing.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BeemeshNode, createNode } from '../src/index.ts'

const NODES = Number(process.argv[2] ?? 20)
const WINDOW_MS = 20_000
/** After the last connection; everybody is idle, and the statements that are repeated every 60 s have gone round. */
const IDLE_AFTER_MS = 72_000

interface Cost {
  /** Of one core. */
  readonly cpu: number
  readonly bytesPerSecond: number
}

function bytesWritten(): number {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles()
  return handles.reduce<number>((sum, one) => (one instanceof Socket ? sum + one.bytesWritten : sum), 0)
}

async function measure(): Promise<Cost> {
  const from = { cpu: process.cpuUsage(), bytes: bytesWritten(), atMs: performance.now() }
  await sleep(WINDOW_MS)
  const { user, system } = process.cpuUsage(from.cpu)
  const elapsedMs = performance.now() - from.atMs
  return {
    cpu: (user + system) / 1_000 / elapsedMs,
    bytesPerSecond: (bytesWritten() - from.bytes) / (elapsedMs / 1_000)
  }
}

function report(what: string, { cpu, bytesPerSecond }: Cost): void {
  const share = ((cpu / NODES) * 100).toFixed(2)
  console.log(
    `${what}, of one of ${NODES} nodes: ${share} % of a core, ${(bytesPerSecond / NODES / 1_000).toFixed(2)} kB/s sent`
  )
}

const dir = await mkdtemp(join(tmpdir(), 'bmd-'))
const nodes: BeemeshNode[] = []
try {
  for (let index = 0; index < NODES; index++) {
    const name = `node-${index}`
    const bootstrap = nodes.slice(0, 1).flatMap((first) => first.addresses().slice(0, 1))
    const base = { dataDir: join(dir, name), name, identity: join(dir, 'owner'), bootstrap }
    const node = await createNode(
      { ...base, network: 'bench', engine: 'mock', logLevel: 'error' },
      { runtimeDir: join(dir, 'run') }
    )
    nodes.push(node)
    await node.start()
  }
  const isSettled = () =>
    nodes.every(
      ({ services }) => services.members.list().filter(({ connected }) => connected).length >= NODES
    )
  while (!isSettled()) await sleep(200)
  const settledAtMs = performance.now()
  await sleep(10_000)
  const active = await measure()
  report('everybody probed every second', active)
  await sleep(settledAtMs + IDLE_AFTER_MS - performance.now())
  const idle = await measure()
  report('everybody idle, probed every 5 s', idle)
  report('so probing every second costs', {
    cpu: (active.cpu - idle.cpu) * 1.25,
    bytesPerSecond: (active.bytesPerSecond - idle.bytesPerSecond) * 1.25
  })
} finally {
  await Promise.all(nodes.map((node) => node.stop()))
  await rm(dir, { recursive: true, force: true })
}

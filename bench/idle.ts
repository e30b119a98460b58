/**
 * `npm run bench:idle [NODES] [SECONDS]`: what a node costs that has nothing to do, against bare libp2p with the same modules in the same
 * run. One process is measured, the other NODES - 1 nodes live in this one; after a minute of settling it is left alone for SECONDS.
 * Bytes are those it passed to write(2), which on an idle node are its sockets'.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { build } from 'esbuild'
import { createMesh } from '../test/fixtures/create-mesh.ts'
import { NodeProcess } from '../test/fixtures/node-process.ts'
import { createTestHome } from '../test/fixtures/test-home.ts'
import { bareNode } from './bare-node.ts'

// both as a user runs them: compiled
const BARE = resolve(import.meta.dirname, '../dist/bundle/bare-node.js')

const size = Number(process.argv[2] ?? 20)
const seconds = Number(process.argv[3] ?? 60)
const SETTLE_MS = 60_000
const TICKS_PER_SECOND = 100 // CLK_TCK of every Linux we run on

interface Cost {
  readonly rssMiB: number
  readonly bytesPerSecond: number
  readonly coreShare: number
}

async function measure(pid: number): Promise<Cost> {
  const read = async () => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const io = await readFile(`/proc/${pid}/io`, 'utf8')
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return {
      cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      written: Number(/^wchar: (\d+)$/m.exec(io)![1]),
      rssMiB: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024
    }
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const before = await read()
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  const after = await read()
  return {
    rssMiB: after.rssMiB,
    bytesPerSecond: (after.written - before.written) / seconds,
    coreShare: (after.cpu - before.cpu) / seconds
  }
}

async function bare(): Promise<Cost> {
  const first = await bareNode()
  const address = first.getMultiaddrs()[0]!.toString()
  const others = [first]
  while (others.length < size - 1) others.push(await bareNode(address))
  const child = spawn(process.execPath, [BARE, address], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  try {
    await once(child.stdout!, 'data')
    return await measure(child.pid!)
  } finally {
    child.kill('SIGKILL')
    await Promise.all(others.map((node) => node.stop()))
  }
}

async function ours(): Promise<Cost> {
  const mesh = await createMesh(size - 1)
  const home = await createTestHome()
  try {
    const bootstrap = ['--bootstrap', mesh.nodes[0]!.addresses()[0]!]
    const node = new NodeProcess({
      home,
      name: 'idle',
      network: ['--network', 'in-process'],
      args: bootstrap
    })
    await node.start()
    return await measure(node.pid)
  } finally {
    await home.close()
    await mesh.close()
  }
}

await build({
  entryPoints: [resolve(import.meta.dirname, 'bare-node.ts')],
  outfile: BARE,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  packages: 'external'
})
const [base, node] = [await bare(), await ours()]
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(2)} KB/s`
console.log(
  `bare libp2p in a mesh of ${size}: ${base.rssMiB.toFixed(1)} MiB, ${kilobytes(base.bytesPerSecond)}, ${(base.coreShare * 100).toFixed(2)} % of a core`
)
console.log(
  `a node, idle, in a mesh of ${size}: ${node.rssMiB.toFixed(1)} MiB, ${kilobytes(node.bytesPerSecond)}, ${(node.coreShare * 100).toFixed(2)} % of a core`
)
console.log(
  `above it: ${(node.rssMiB - base.rssMiB).toFixed(1)} MiB (bound 25), ${kilobytes(node.bytesPerSecond - base.bytesPerSecond)} (bound 5), ` +
    `${((node.coreShare - base.coreShare) * 100).toFixed(2)} % of a core (bound 1 in all)`
)
process.exit(0)

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode } from 'beemesh'

const temporary = process.argv[2] === undefined
const dataDir = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'beemesh-bootstrap-')))
const node = await createNode(
  {
    dataDir,
    name: 'bootstrap',
    listen: ['/ip4/127.0.0.1/tcp/0'], // /ip4/0.0.0.0/tcp/4001 for other machines
    role: 'bootstrap', // relays for others, takes no workloads
    network: 'example-bootstrap', // an open network; a private one takes networkKey instead
    identity: join(dataDir, 'owner'),
    logLevel: 'warn'
  },
  { runtimeDir: join(dataDir, 'run') }
)
async function stop(): Promise<void> {
  await node.stop()
  if (temporary) await rm(dataDir, { recursive: true, force: true })
}
// on, not once: a handler must be left while the node stops, or the signal ends the process before it has
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
await node.start()

console.log('bootstrap node ready')
for (const address of node.addresses()) console.log(`join with: --bootstrap ${address}`)
console.log(`takes workloads: ${node.services.members.self().scheduling ? 'yes' : 'no'}`)

/** One node of `bench/detect.ts`, in a process of its own. Says by IPC what it sees of the others. */
import { createNode } from '../src/index.ts'

const [dir, name, identity, bootstrap] = process.argv.slice(2) as [string, string, string, string?]
const node = await createNode(
  {
    dataDir: `${dir}/${name}`,
    name,
    identity,
    network: 'bench',
    engine: 'mock',
    logLevel: 'error',
    bootstrap: bootstrap === undefined ? [] : [bootstrap]
  },
  { runtimeDir: `${dir}/run` }
)
const { members } = node.services
for (const state of ['suspect', 'dead', 'alive', 'left'] as const)
  members.addEventListener(`member:${state}`, ({ detail: { peerId } }) => {
    process.send?.({ state, peerId, atMs: Date.now() })
  })
setInterval(() => {
  const there = members.list().filter(({ connected, state }) => connected && state === 'alive')
  process.send?.({ connected: there.map(({ peerId }) => peerId) })
}, 200)
await node.start()
process.send?.({ ready: { peerId: node.peerId, address: node.addresses()[0] } })

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Client,
  createEngine,
  createNode,
  loadSigningKey,
  openNetwork,
  parseManifests,
  remoteConnection,
  Session
} from 'beemesh'

const dir = await mkdtemp(join(tmpdir(), 'beemesh-two-peers-'))
const identity = join(dir, 'owner')
const podman = createEngine('podman', { runDir: join(dir, 'engine') })
const engine = (await podman.isAvailable()).available ? 'podman' : 'mock'
console.log(`engine: ${engine}`)

const shared = { network: 'example-two-peers', identity, engine, logLevel: 'error' } as const
const options = { runtimeDir: join(dir, 'run') }
const ada = await createNode({ ...shared, dataDir: join(dir, 'ada'), name: 'ada' }, options)
await ada.start()
const bob = await createNode(
  { ...shared, dataDir: join(dir, 'bob'), name: 'bob', bootstrap: ada.addresses() },
  options
)
await bob.start()

// The owner speaks to ada only. Ada passes on an envelope that she can neither read nor change.
const connection = await remoteConnection(ada.addresses()[0]!, openNetwork(shared.network), {})
const client = new Client({ session: new Session(await loadSigningKey(identity), connection) })
while (!(await client.nodes()).some(({ name }) => name === 'bob'))
  await new Promise((resolve) => setTimeout(resolve, 50))

const manifests = parseManifests(await readFile(new URL('hello.yaml', import.meta.url), 'utf8'))
const [result] = await client.apply(manifests, {
  to: ['bob'],
  onProgress: ({ name, node, state }) => console.log(`${name} on ${node}: ${state}`)
})
console.log(`applied version ${result!.version} of ${result!.manifestId}`)
for (const { error } of result!.placements)
  if (error !== undefined) console.error(`${error.code}: ${error.message}`)

await client.delete('hello')
console.log('deleted')

await connection.close()
await bob.stop()
await ada.stop()
await podman.close?.()
await rm(dir, { recursive: true })
process.exitCode = result!.placements.every(({ error }) => error === undefined) ? 0 : 1

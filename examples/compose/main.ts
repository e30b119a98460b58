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

const dir = await mkdtemp(join(tmpdir(), 'beemesh-compose-'))
const identity = join(dir, 'owner')
const podman = createEngine('podman', { runDir: join(dir, 'engine') })
const engine = (await podman.isAvailable()).available ? 'podman' : 'mock'
console.log(`engine: ${engine}`)

const network = 'example-compose'
const ada = await createNode(
  { network, identity, engine, logLevel: 'error', dataDir: join(dir, 'ada'), name: 'ada' },
  { runtimeDir: join(dir, 'run') }
)
await ada.start()
const connection = await remoteConnection(ada.addresses()[0]!, openNetwork(network), {})
const client = new Client({ session: new Session(await loadSigningKey(identity), connection) })

const text = await readFile(new URL('compose.yaml', import.meta.url), 'utf8')
const manifests = parseManifests(text.replace('engine: podman', `engine: ${engine}`), {
  file: 'compose.yaml'
})
const [result] = await client.apply(manifests, {
  onProgress: ({ name, node, state }) => console.log(`${name} on ${node}: ${state}`)
})
for (const { error } of result!.placements)
  if (error !== undefined) console.error(`${error.code}: ${error.message}`)

let page = engine === 'mock' ? 'nothing is fetched' : undefined
while (page === undefined) {
  await new Promise((resolve) => setTimeout(resolve, 100))
  for await (const { line } of client.logs('shop', { container: 'visitor' }))
    if (line.startsWith('visitor got')) page = line
}
console.log(page)

await client.delete('shop')
console.log('deleted')

await connection.close()
await ada.stop()
await podman.close?.()
await rm(dir, { recursive: true })
process.exitCode = result!.placements.every(({ error }) => error === undefined) ? 0 : 1

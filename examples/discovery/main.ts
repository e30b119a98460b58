import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Client,
  createNode,
  loadSigningKey,
  openNetwork,
  parseManifestId,
  parseManifests,
  remoteConnection,
  Session
} from 'beemesh'

const dir = await mkdtemp(join(tmpdir(), 'beemesh-discovery-'))
const identity = join(dir, 'owner')
const shared = { network: 'example-discovery', identity, engine: 'mock', logLevel: 'error' } as const
const options = { runtimeDir: join(dir, 'run') }
const ada = await createNode({ ...shared, dataDir: join(dir, 'ada'), name: 'ada' }, options)
await ada.start()
const bootstrap = ada.addresses()
const cyd = await createNode({ ...shared, dataDir: join(dir, 'cyd'), name: 'cyd', bootstrap }, options)
await cyd.start()
while (cyd.services.members.list().length < 2) await new Promise((resolve) => setTimeout(resolve, 50))

const connection = await remoteConnection(bootstrap[0]!, openNetwork(shared.network), {})
const client = new Client({ session: new Session(await loadSigningKey(identity), connection) })
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'clock', annotations: { 'beemesh.io/engine': 'mock' } },
  spec: { containers: [{ name: 'clock', image: 'localhost/clock:1' }] }
}
const [result] = await client.apply(parseManifests(JSON.stringify(pod)), { to: ['ada'] })
const manifestId = parseManifestId(result!.manifestId)!

for (const { nodeName, source } of await cyd.services.providers.find(manifestId))
  console.log(`cyd finds it on ${nodeName} (asked: ${source})`)
await client.delete('clock')
const left = await cyd.services.providers.find(manifestId)
console.log(
  `after deletion cyd finds ${left.length === 0 ? 'nobody' : left.map(({ nodeName }) => nodeName).join()}`
)

await connection.close()
await cyd.stop()
await ada.stop()
await rm(dir, { recursive: true })

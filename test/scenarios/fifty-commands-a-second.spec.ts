import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseManifestId, parseManifests } from '../../src/manifest/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import type { Offer, Offered } from '../fixtures/offer-commands.ts'
import { pod, toYaml } from '../fixtures/workload-files.ts'

const NODES = 20
const PER_SECOND = 50
const SECONDS = 2

describe('scenario: twenty nodes and fifty commands a second behind one address', function () {
  this.timeout(60_000) // for a machine that is busy with other things; else 20 s
  let mesh: Mesh
  let child: ChildProcess | undefined
  before(async () => {
    mesh = await createMesh(NODES)
  })
  after(async () => {
    child?.kill()
    await mesh?.close()
  })

  it('every command succeeds, each over a connection of its own to another node', async () => {
    // given: a workload that every node has found before, as a service that is asked for all the time
    const client = await mesh.client(0)
    const [running] = await client.apply(parseManifests(toYaml(pod({ name: 'web' }))))
    const id = parseManifestId(running!.manifestId)!
    for (const { services } of mesh.nodes) expect(await services.providers.find(id)).to.have.length(1)
    const offer: Offer = {
      network: mesh.nodes[0]!.network.name,
      identity: mesh.identity,
      addresses: mesh.nodes.map((node) => node.addresses()[0]!),
      perSecond: PER_SECOND,
      seconds: SECONDS,
      manifestId: running!.manifestId
    }

    // when
    child = fork(join(import.meta.dirname, '../fixtures/offer-commands.ts'))
    child.send(offer)
    const [{ commands, begunPerSecond, seconds }] = (await once(child, 'message')) as [Offered]

    // then
    const slowest = Math.max(...commands.map(({ ms }) => ms))
    console.log(
      `      ${begunPerSecond.toFixed(0)} commands a second begun; all done after ${seconds.toFixed(1)} s, the slowest took ${slowest} ms`
    )
    expect(commands).to.have.length(PER_SECOND * SECONDS)
    const failed = commands.filter(({ outcome }) => outcome !== 'ok')
    expect(failed.map(({ what, outcome }) => `${what}: ${outcome}`)).to.deep.equal([])
  })
})

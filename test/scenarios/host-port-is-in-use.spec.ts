import { createServer, type Server } from 'node:net'
import { expect } from 'chai'
import { expectDocument, expectDone } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { containersOf, requirePodman } from '../fixtures/podman.ts'
import { pod, writeManifest } from '../fixtures/workload-files.ts'

describe('scenario: the host port a manifest asks for is in use', () => {
  let mesh: ProcessMesh
  let listener: Server
  let port: number
  before(async function () {
    this.timeout(60_000)
    await requirePodman(this)
    mesh = await createProcessMesh({ nodes: ['anna'], engine: 'podman' })
    listener = createServer()
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    port = (listener.address() as { port: number }).port
  })
  after(async () => {
    listener?.close()
    await mesh?.close()
  })

  const apply = async (name: string) => {
    const file = await writeManifest(mesh.home, name, pod({ name, containerPort: 8080, hostPort: port }))
    return mesh.cli(['apply', '-f', file])
  }

  it('refuses it with PORT_IN_USE and the port, leaves nothing behind, and runs it when the port is free', async () => {
    const refused = await apply('web')
    const [{ placements }] = expectDocument('apply', refused.json()).results
    expect(refused.exitCode).to.equal(1)
    expect(placements[0].error.code).to.equal('PORT_IN_USE')
    expect(placements[0].error.message).to.include(String(port))
    expect(await containersOf(mesh.nodes[0]!.peerId)).to.deep.equal([])
    await new Promise((resolve) => listener.close(resolve))
    const { results } = expectDone(await apply('web'), 'apply')
    expect(results[0].placements[0].ports[0].hostPort).to.equal(port)
  })

  it('refuses a second workload on the port of the first, and the first goes on', async () => {
    const second = await apply('second')
    expect(second.exitCode).to.equal(1)
    expect(expectDocument('apply', second.json()).results[0].placements[0].error.code).to.equal('PORT_IN_USE')
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).to.equal(200)
  })
})

import { createServer, type Server } from 'node:net'
import { expect } from 'chai'
import { type Manifest, parseManifests } from '../../src/manifest/index.ts'
import { assignPorts } from '../../src/workloads/copies/ports.ts'
import { deployment, pod, toYaml } from '../fixtures/workload-files.ts'

const publishAddress = '127.0.0.1'

function manifestOf(document: object): Manifest {
  return parseManifests(toYaml(document))[0]!
}

/** A port somebody else listens on, and what lets go of it. */
async function occupy(): Promise<{ port: number; server: Server }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, publishAddress, resolve))
  return { server, port: (server.address() as { port: number }).port }
}

describe('workloads: host ports', () => {
  const open = manifestOf(deployment({ name: 'web', containerPort: 80 }))

  it('come from the range where the manifest leaves them open, each once', async () => {
    const range = { first: 38_100, last: 38_109 }
    const taken = new Set<number>()
    const given: number[] = []
    for (let copy = 0; copy < 10; copy++) {
      const [port] = await assignPorts(open, { taken, range, publishAddress })
      expect(port).to.include({ containerPort: 80, protocol: 'TCP', hostIp: publishAddress })
      given.push(port!.hostPort)
    }
    expect(given.sort()).to.deep.equal(Array.from({ length: 10 }, (_, index) => 38_100 + index))
  })

  it('are the manifest’s own where it names them, and refused with PORT_IN_USE while somebody listens there', async () => {
    const { port, server } = await occupy()
    const own = manifestOf(pod({ name: 'web', containerPort: 80, hostPort: port }))
    const assign = () => assignPorts(own, { taken: new Set(), range: { first: 1, last: 1 }, publishAddress })
    const refused = await assign().catch((error: { code: string; message: string }) => error)
    expect(refused).to.include({ code: 'PORT_IN_USE' })
    expect((refused as { message: string }).message).to.include(String(port))
    await new Promise((resolve) => server.close(resolve))
    expect((await assign())[0]!.hostPort).to.equal(port)
  })

  it('leave out what another process listens on', async () => {
    const { port, server } = await occupy()
    try {
      const range = { first: port, last: port }
      const refused = await assignPorts(open, { taken: new Set(), range, publishAddress }).catch(
        (error: { code: string }) => error.code
      )
      expect(refused).to.equal('NO_PORT_FREE')
    } finally {
      server.close()
    }
  })

  it('are refused with NO_PORT_FREE, and the range, when all are given away', async () => {
    const range = { first: 38_100, last: 38_101 }
    const error = await assignPorts(open, { taken: new Set([38_100, 38_101]), range, publishAddress }).catch(
      (thrown: { code: string; details: object }) => thrown
    )
    expect(error).to.include({ code: 'NO_PORT_FREE' }).and.to.have.property('details').deep.equal(range)
  })
})

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { ROOT } from '../fixtures/test-home.ts'

/** The attacker of `npm run bench:flood`, shorter. */
const ATTACKER = join(ROOT, 'bench/flood-attacker.ts')

describe('story: a neighbour offers thousands of hostile messages a second', function () {
  this.timeout(60_000)
  let mesh: Mesh
  before(async () => {
    mesh = await createMesh(2, { metrics: '127.0.0.1:0' })
  })
  after(() => mesh?.close())

  it('it is counted, sent away, and kept out; what the others ask is answered', async () => {
    const [victim, provider] = mesh.nodes
    const id = new Uint8Array([0x01, 0x55, 0x12, 0x20, ...randomBytes(32)])
    const workload = { workloadId: 'w-0', ordinal: 0, state: 'running', engine: 'mock' } as const
    provider!.services.providers.announce(id, () => ({ version: 1, workloads: [workload] }))

    const attack = promisify(execFile)(process.execPath, [ATTACKER, victim!.addresses()[0]!, '2000', '3'])
    let going = true
    void attack.finally(() => {
      going = false
    })
    let asked = 0
    for (; going; asked++)
      expect(await victim!.services.providers.find(id, { fresh: true, limit: 1 })).to.have.lengthOf(1)
    const { offered, sentAway } = JSON.parse((await attack).stdout.trim().split('\n').at(-1)!) // before it, that all is signed

    expect(offered).to.be.above(1_000)
    expect(asked).to.be.above(10)
    expect(sentAway).to.be.above(0)
    const text = await (await fetch(`http://${victim!.metricsAddress()}/metrics`)).text()
    const figure = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
    expect(figure('beemesh_refused_total{reason="events:unknown_author"}')).to.be.above(0)
    expect(figure('beemesh_sent_away_total{door="events"}')).to.be.above(0)
    expect(figure('beemesh_members{state="alive"}')).to.equal(1)
    expect(victim!.services.members.get(provider!.peerId)?.state).to.equal('alive')
  })
})

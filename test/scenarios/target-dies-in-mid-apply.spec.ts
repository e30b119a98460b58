import { expect } from 'chai'
import { expectDocument, expectDone } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { containersOf, podman, requirePodman } from '../fixtures/podman.ts'
import { parseLines } from '../fixtures/run-cli.ts'
import { type RunningCli, startCli } from '../fixtures/start-cli.ts'
import { until } from '../fixtures/until.ts'
import { deployment, writeManifest } from '../fixtures/workload-files.ts'

/** The client must give up long before this. */
const CLIENT_DEADLINE_MS = 8_000

describe('scenario: somebody dies in mid-apply', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(60_000)
    await requirePodman(this)
    mesh = await createProcessMesh({ nodes: ['anna', { name: 'bert', engine: 'podman' }, 'cleo'] })
  })
  after(() => mesh?.close())

  /** An apply to bert through anna, at the moment bert starts the containers. */
  const applyInTheMiddle = async (name: string): Promise<RunningCli> => {
    const annotations = { 'beemesh.io/engine': 'podman' } // which only bert has, so that nobody takes over for it
    const file = await writeManifest(
      mesh.home,
      name,
      deployment({ name, replicas: 2, containerPort: 8080, annotations })
    )
    const args = ['apply', '-f', file, '--to', 'bert', '--node', 'anna', '-o', 'json', '--timeout', '30s']
    const running = startCli(mesh.home, args)
    await running.sees(`${name} on bert: starting`)
    return running
  }

  const runningCopies = async (name: string, entry: number) => {
    const client = await mesh.client(entry)
    const { placements } = await client.status(name, { signal: AbortSignal.timeout(5_000) })
    const states = placements.map(({ state }) => state)
    return states.length === 2 && states.every((state) => state === 'running') ? placements : undefined
  }

  const expectFailedApply = async (running: RunningCli, diedAt: number) => {
    const { code } = await running.exit
    expect(performance.now() - diedAt).to.be.lessThan(CLIENT_DEADLINE_MS)
    expect(code).to.be.oneOf([1, 6])
    const documents = parseLines(running.stdout())
    expect(documents, running.stderr()).to.have.length(1)
    return documents[0]
  }

  it('the client gets a code and a failure when the target dies, and the target does it after all when it is back', async function () {
    this.timeout(40_000)
    const running = await applyInTheMiddle('half-done')
    const diedAt = performance.now()
    await mesh.nodes[1]!.kill9()
    const document = expectDocument('apply', await expectFailedApply(running, diedAt))
    for (const { state, error } of document.results[0].placements) {
      expect(state).to.equal('failed')
      expect(error.code).to.be.oneOf(['CONNECTION_LOST', 'NODE_UNREACHABLE'])
      expect(error.message).to.match(/^\S.{15,}/)
    }
    await mesh.nodes[1]!.start()
    const placements = await until('until both copies run', () => runningCopies('half-done', 0), {
      deadlineMs: 20_000
    })
    const containers = await containersOf(mesh.nodes[1]!.peerId)
    expect(containers, 'exactly the copies, nothing half-made').to.have.length(placements.length)
    const [{ ports }] = placements as [(typeof placements)[0]]
    const { hostPort } = ports[0]!
    const answer = await until('until it answers', () => fetch(`http://127.0.0.1:${hostPort}/`)).catch(
      async (cause: unknown) => {
        const pods = await podman('ps', '--all', '--pod', '--filter', 'label=beemesh.io/node', '--no-trunc')
        throw new Error(`nobody answers at port ${hostPort} of ${JSON.stringify(placements)}\n${pods}`, {
          cause
        })
      }
    )
    expect(answer.status).to.equal(200)
    expectDone(await mesh.cli(['delete', 'half-done']), 'delete')
  })

  it('the target goes on when the entry node dies, and says so to whoever asks next', async function () {
    this.timeout(40_000)
    const running = await applyInTheMiddle('without-entry')
    const diedAt = performance.now()
    await mesh.nodes[0]!.kill9()
    const document = await expectFailedApply(running, diedAt)
    const codes = document.error
      ? [document.error.code]
      : document.results[0].placements.map(({ error }: { error: { code: string } }) => error.code)
    for (const code of codes) expect(code).to.be.oneOf(['CONNECTION_LOST', 'NODE_UNREACHABLE'])
    await until('until both copies run', () => runningCopies('without-entry', 2), { deadlineMs: 20_000 })
    expectDone(await mesh.cli(['delete', 'without-entry'], { entry: 2 }), 'delete')
  })
})

import { expect } from 'chai'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { type CliResult, runCli } from '../fixtures/run-cli.ts'
import { pod, writeManifest } from '../fixtures/workload-files.ts'

describe('cli: what people read', () => {
  let mesh: ProcessMesh
  let file: string
  before(async function () {
    this.timeout(30_000)
    mesh = await createProcessMesh({ nodes: ['anna'] })
    file = await writeManifest(mesh.home, 'web', pod({ name: 'web', containerPort: 80 }))
  })
  after(() => mesh?.close())

  const beemesh = (...args: string[]): Promise<CliResult> => runCli(args, { env: mesh.home.env })

  it('apply prints a table on stdout and its progress, with times, on stderr', async () => {
    const { exitCode, stdout, stderr } = await beemesh('apply', '-f', file)
    expect(exitCode).to.equal(0)
    expect(stdout).to.match(
      /^NAME +NODE +STATE +PORTS +WORKLOAD\npod\/web +anna +running +127\.0\.0\.1:\d+->80\/tcp +web-/
    )
    expect(stdout).to.match(/\napplied in [\d.]+m?s\n$/)
    expect(stderr).to.match(/^ +[\d.]+m?s +web on anna: accepted\n/)
  })

  it('get and status print one line for each copy', async () => {
    const workloads = await beemesh('get', 'workloads')
    expect(workloads.stdout).to.match(
      /^NAMESPACE +NAME +RUNNING +NODE .*\ndefault +pod\/web +1\/1 +anna +running/
    )
    const nodes = await beemesh('get', 'nodes')
    expect(nodes.stdout).to.match(/^NAME .*\nanna \* +connected +- +member +mock /)
    const status = await beemesh('status', 'web')
    expect(status.stdout).to.match(/\nmanifest bafkrei\w+, version \d+\n$/)
  })

  it('logs prints the bare line', async () => {
    const { stdout } = await beemesh('logs', 'web')
    expect(stdout).to.equal('mock engine: pretending to run localhost/beemesh-demo:1 as "main"\n')
  })

  it('audit prints one line an entry, and one sentence when all is well', async () => {
    const { stdout } = await beemesh('audit', 'show')
    expect(stdout).to.match(/^ +1 +\S+Z +did +node-started\n/)
    expect(stdout).to.match(/\n +\d+ +\S+Z +asked +apply +bafkrei\w+ \d+ +by 12D3\w+ +from local\n/)
    const verified = await beemesh('audit', 'verify')
    expect(verified).to.include({ exitCode: 0 })
    expect(verified.stdout).to.match(
      /^anna: \d+ entries, chain intact from 1 \(\S+Z\) to \d+ \(\S+Z\), nobody holds a head of it yet/
    )
  })

  it('providers and delete say what they did', async () => {
    expect((await beemesh('providers', 'web')).stdout).to.match(
      /^NODE +STATE +FOUND BY .*\nanna +running +local /
    )
    expect((await beemesh('delete', 'web')).stdout).to.match(/^pod\/web deleted \(1 copy\)\ndone in /)
    expect((await beemesh('providers', 'web')).stdout).to.equal('nobody provides it\n')
    expect((await beemesh('get', 'workloads')).stdout).to.equal('no workloads\n')
  })

  it('an error goes to stderr with its code and what to try; stdout stays empty', async () => {
    const { exitCode, stdout, stderr } = await beemesh('status', 'web')
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 4, stdout: '' })
    expect(stderr).to.match(/^error: web is not found: .* \[REF_NOT_FOUND\]\n {2}→ /)
  })

  it('a lone node answers for what nobody provides without waiting for a DHT that is not there', async () => {
    const { durationMs, exitCode } = await beemesh('providers', 'never-was')
    expect(exitCode).to.equal(0)
    expect(durationMs).to.be.lessThan(3_000)
  })
})

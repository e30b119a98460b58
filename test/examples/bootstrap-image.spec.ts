import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { execa } from 'execa'
import { expectDocument } from '../fixtures/cli-schemas.ts'
import { NodeProcess, type ReadyLine } from '../fixtures/node-process.ts'
import { podman, podmanEnv, requirePodman } from '../fixtures/podman.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { createTestHome, ROOT } from '../fixtures/test-home.ts'
import { until } from '../fixtures/until.ts'
import { pod, writeManifest } from '../fixtures/workload-files.ts'

const EXAMPLE = join(ROOT, 'examples/bootstrap-node')
const NAME = `beemesh-bootstrap-${process.pid}`
const BASE = `localhost/${NAME}-base:1`
const IMAGE = `localhost/${NAME}:1`
const BUILD_MS = 90_000

interface Applied {
  readonly results?: readonly [
    { readonly placements: readonly [{ readonly error: { readonly code: string } }] }
  ]
}

/** An image of this Node.js and the libraries it needs: there may be no registry here. */
async function makeBase(folder: string): Promise<void> {
  const { stdout } = await execa('ldd', [process.execPath])
  const libraries = [...stdout.matchAll(/(\/\S+) \(/g)].map((match) => match[1]!)
  for (const [from, to] of [
    [process.execPath, '/usr/bin/node'],
    ...libraries.map((path) => [path, path])
  ] as const) {
    await mkdir(join(folder, dirname(to!)), { recursive: true })
    await cp(from!, join(folder, to!), { dereference: true })
  }
  await mkdir(join(folder, 'tmp'))
  const script = 'tar -C "$0" -cf - . | podman import -q -c "ENV PATH=/usr/bin" - "$1"'
  await execa('sh', ['-c', script, folder, BASE], { env: podmanEnv(), timeout: BUILD_MS })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The manifest of the example with other places, each of which must be in it. */
async function manifestWith(changes: Readonly<Record<string, string>>): Promise<string> {
  let text = await readFile(join(EXAMPLE, 'pod.yaml'), 'utf8')
  for (const [from, to] of Object.entries(changes)) {
    expect(text, 'pod.yaml').to.include(from)
    text = text.replace(from, to)
  }
  return text
}

describe('examples: the image of a bootstrap node', function () {
  this.timeout(BUILD_MS)
  let folder: string | undefined

  before(async function () {
    await requirePodman(this)
    folder = await mkdtemp(join(tmpdir(), 'bmi-'))
    await makeBase(join(folder, 'base'))
    await execa('sh', [join(EXAMPLE, 'build-image.sh'), IMAGE, BASE], { env: podmanEnv(), timeout: BUILD_MS })
  })

  after(async () => {
    if (folder === undefined) return
    await podman('kube', 'down', join(folder, 'pod.yaml')).catch(() => {})
    await podman('image', 'rm', '--force', IMAGE, BASE)
    await rm(folder, { recursive: true, force: true })
  })

  it('runs under podman kube play with nothing writable but its folder; nodes join through it, and it refuses workloads', async () => {
    // given
    const port = await freePort()
    const data = join(folder!, 'data')
    await mkdir(data, { mode: 0o700 })
    const text = await manifestWith({
      'name: beemesh-bootstrap\n': `name: ${NAME}\n`,
      'localhost/beemesh-bootstrap:1': IMAGE,
      '/ip4/0.0.0.0/tcp/4001': `/ip4/127.0.0.1/tcp/${port}`,
      '/var/lib/beemesh-bootstrap': data
    })
    await writeFile(join(folder!, 'pod.yaml'), text)
    // when
    await podman('kube', 'play', join(folder!, 'pod.yaml'))
    // then
    const ready = await until('until it is ready', async () => {
      const logs = await podman('logs', `${NAME}-node`)
      return logs.includes('"event":"ready"') ? (JSON.parse(logs.split('\n')[0]!) as ReadyLine) : undefined
    })
    expectDocument('node-start-ready', ready)
    expect(ready).to.include({ role: 'bootstrap', engine: 'none' })
    const format = '{{.HostConfig.ReadonlyRootfs}} {{.EffectiveCaps}}'
    expect(await podman('inspect', `${NAME}-node`, '--format', format)).to.equal('true []')
    // when: a node with the same keys joins through it
    const home = await createTestHome()
    try {
      const keys = join(home.path, 'owner/beemesh')
      await mkdir(keys, { recursive: true, mode: 0o700 })
      for (const file of ['identity', 'network.key']) await cp(join(data, file), join(keys, file))
      const args = ['--bootstrap', ready.addresses[0]!]
      await new NodeProcess({ home, name: 'side', network: [], args }).start()
      const file = await writeManifest(home, 'web', pod({ name: 'web' }))
      // then
      const refusal = await until('until it is known', async () => {
        const apply = ['apply', '-f', file, '--to', 'bootstrap-1', '-o', 'json']
        const result = (await runCli(apply, { env: home.env })).json() as Applied
        return result.results?.[0].placements[0].error.code
      })
      expect(refusal).to.equal('NOT_SCHEDULABLE')
      // when it is told to end
      await podman('stop', '--time', '8', `${NAME}-node`)
      expect(await podman('inspect', `${NAME}-node`, '--format', '{{.State.ExitCode}}')).to.equal('0')
    } finally {
      await home.close()
    }
  })
})

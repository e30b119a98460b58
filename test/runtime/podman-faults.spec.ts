import { chmod, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { execa, type ResultPromise } from 'execa'
import { type DeployRequest, PodmanEngine, type PodmanEngineInit } from '../../src/runtime/index.ts'
import { startPool } from '../conformance/engine/pool.ts'
import { errorOf } from '../conformance/engine/tools.ts'
import { standStill } from '../fixtures/stand-still.ts'
import { IMAGE, settings, toContainer } from './container-fixture.ts'
import { createPodmanFixture, type PodmanFixture } from './podman-fixture.ts'

/** A Podman with mounts and a network of its own, whose store is small; another store is on the disk. */
interface Store {
  /** Commands as the engine runs them. */
  readonly small: string
  readonly onDisk: string
  /** The directory of the one on the disk. */
  readonly graph: string
  /** Runs a command among those mounts. */
  inside(...args: string[]): Promise<unknown>
  close(): Promise<void>
}

/** What goes wrong with Podman itself. All at once, because each mostly waits. */
describe('podman engine, when podman fails', function () {
  this.timeout(60_000)
  let fixture: PodmanFixture
  let directory: string
  let results = new Map<string, Promise<void>>()
  const engines: PodmanEngine[] = []
  let count = 0

  const toRequest = (name: string): DeployRequest => {
    const workloadId = `${fixture.prefix}${name}${count++}`
    const metadata = { name: workloadId, labels: { 'test.fault': workloadId } }
    const spec = { containers: [toContainer('a', { say: ['up'] })] }
    return { workloadId, pod: { apiVersion: 'v1', kind: 'Pod', metadata, spec }, files: [] }
  }
  /** An engine whose podman is this shell script. */
  const createEngine = async (script: string, init: Partial<PodmanEngineInit> = {}) => {
    const podmanPath = join(directory, `podman-${count++}`)
    await writeFile(podmanPath, `#!/bin/sh\n${script}\n`)
    await chmod(podmanPath, 0o755)
    const runDir = await mkdtemp(join(directory, 'node-'))
    const engine = new PodmanEngine({ runDir, podmanPath, service: false, ...init })
    engines.push(engine)
    return engine
  }

  /** An engine that plays through its service, and the process of that. */
  const createServedEngine = async (init: Partial<PodmanEngineInit> = {}) => {
    const pidFile = join(directory, `service-${count++}`)
    const script = `[ "$1 $2" = 'system service' ] && echo $$ > ${pidFile}\nexec podman "$@"`
    const engine = await createEngine(script, { service: true, ...init })
    await engine.list({ labels: { 'test.fault': 'none' } }) // starts the service
    return { engine, service: async () => Number(await readFile(pidFile, 'utf8')) }
  }

  const bodies: Record<string, () => Promise<void>> = {
    'gives up a play that hangs, and leaves other workloads alone': async () => {
      const script = `if [ "$1 $2" = 'kube play' ]; then
          body=$(cat)
          case $body in *-hang*) sleep 20 ;; esac
          echo "$body" | podman "$@"
          exit
        fi
        exec podman "$@"`
      const engine = await createEngine(script, { timeouts: { playMs: 3_000 } })
      const [hanging, other] = [toRequest('hang'), toRequest('other')]
      const before = performance.now()
      const [error] = await Promise.all([errorOf(engine.deploy(hanging)), engine.deploy(other)])
      expect(error?.code, error?.message).to.equal('ENGINE_TIMEOUT')
      expect(performance.now() - before, 'a sanity bound: the script hangs for 20 s').to.be.below(15_000)
      expect((await engine.status(other.workloadId))?.state).to.equal('running')
      await engine.remove(other.workloadId)
      expect(await fixture.leftovers(hanging.workloadId)).to.deep.equal([])
    },

    'plays once more when its service was killed in the middle of several plays': async () => {
      const { engine, service } = await createServedEngine()
      for (const seconds of [0.05, 0.12]) {
        const requests = [toRequest('again'), toRequest('again')]
        const deploys = requests.map((request) => engine.deploy(request))
        await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
        process.kill(await service(), 'SIGKILL')
        for (const { state } of await Promise.all(deploys)) expect(state).to.equal('running')
        for (const { workloadId } of requests) {
          await engine.remove(workloadId)
          expect(await fixture.leftovers(workloadId)).to.deep.equal([])
        }
      }
    },

    'gives up a play that its service does not end in time, and leaves nothing of it': async () => {
      const { engine } = await createServedEngine({ timeouts: { playMs: 30 } })
      const request = toRequest('late')
      const error = await errorOf(engine.deploy(request))
      expect(error?.code, error?.message).to.equal('ENGINE_TIMEOUT')
      expect(await fixture.leftovers(request.workloadId)).to.deep.equal([])
    },

    'starts another service in the place of one that hangs': async () => {
      const { engine, service } = await createServedEngine({ timeouts: { readMs: 1_000 } })
      const pid = await service()
      await standStill(pid)
      expect(await engine.list({ labels: { 'test.fault': 'none' } })).to.deep.equal([])
      expect(await service()).not.to.equal(pid)
    },

    'gives up where another podman holds the lock, and leaves other workloads alone': async () => {
      const timeouts = { readMs: 2_000, removeMs: 2_000, playMs: 15_000 }
      const { podman } = fixture
      const engine = await fixture.createEngine({ timeouts })
      const [locked, other] = [toRequest('locked'), toRequest('free')]
      await engine.deploy(locked)
      const intruder = await occupyCgroup(fixture, locked.workloadId) // so that the removal below takes seconds
      const args = ['pod', 'rm', '--force', '--time', '0', locked.workloadId]
      const holder = execa('podman', args, { env: settings(), reject: false })
      // not before the containers have gone: it would hold the lock of all networks too, which is everybody's
      const names = async () =>
        podman('ps', '--all', '--pod', '--format', '{{.PodName}}').catch(() => locked.workloadId)
      while ((await names()).split('\n').includes(locked.workloadId))
        await new Promise((resolve) => setTimeout(resolve, 50))
      holder.kill('SIGSTOP')
      try {
        const error = await errorOf(engine.remove(locked.workloadId))
        expect(error?.code, error?.message).to.equal('ENGINE_TIMEOUT')
        expect(error?.retryable).to.equal(true)
        expect((await engine.deploy(other)).state).to.equal('running')
        const labels = { 'test.fault': other.workloadId }
        expect(await engine.list({ labels })).to.have.length(1)
      } finally {
        holder.kill('SIGCONT')
        intruder.kill()
      }
      await holder
      await engine.remove(locked.workloadId)
      await engine.remove(other.workloadId)
      expect(await fixture.leftovers(locked.workloadId)).to.deep.equal([])
    },

    'leaves nothing of a play that was killed in the middle': async () => {
      const script = (seconds: number) => `[ "$1 $2" = 'kube play' ] || exec podman "$@"
        exec 3<&0
        podman "$@" <&3 &
        sleep ${seconds}
        exec 2> /dev/null
        kill -9 $!
        wait $!
        kill -9 $$`
      const attempt = async (seconds: number) => {
        const engine = await createEngine(script(seconds))
        const request = toRequest('killed')
        const error = await errorOf(engine.deploy(request))
        expect(error?.code, error?.message).to.equal('ENGINE_FAILED')
        expect(error?.message).to.contain('killed')
        expect(await fixture.leftovers(request.workloadId)).to.deep.equal([])
      }
      await Promise.all([0.06, 0.12, 0.2].map(attempt))
    },

    'says that the disk is full, and works when there is room again': async () => {
      const store = await openStore(join(directory, 'full'))
      try {
        const engine = await createEngine(store.small)
        await store.inside('sh', '-c', 'dd if=/dev/zero of=/var/lib/containers/fill bs=4k || true')
        const request = toRequest('full')
        const error = await errorOf(engine.deploy(request))
        expect(error?.code, error?.message).to.equal('STORAGE_FULL')
        expect(error?.message).to.contain('no space left')
        expect(await engine.status(request.workloadId)).to.equal(undefined)
        await store.inside('rm', '/var/lib/containers/fill')
        expect((await engine.deploy(request)).state).to.equal('running')
        await engine.remove(request.workloadId)

        const damaged = await createEngine(store.onDisk)
        await truncate(join(store.graph, 'overlay-images/images.json'), 20)
        const missing = await errorOf(damaged.deploy(toRequest('torn')))
        expect(missing?.code).to.equal('IMAGE_NOT_FOUND')
        expect(missing?.message).to.contain('may be damaged').and.to.contain('images.json')
        await writeFile(join(store.graph, 'libpod/bolt_state.db'), Buffer.alloc(64))
        const unreadable = await errorOf(damaged.deploy(toRequest('zeroed')))
        expect(unreadable?.code, unreadable?.message).to.equal('ENGINE_FAILED')
        expect(unreadable?.message).to.contain('may be damaged')
        expect((await damaged.isAvailable()).reason).to.contain('may be damaged')
      } finally {
        await store.close()
      }
    }
  }

  before(async function () {
    const made = await createPodmanFixture()
    if (made === undefined) return this.skip()
    fixture = made
    directory = await mkdtemp(join(tmpdir(), 'bmf-'))
    results = startPool(bodies, 4)
  })

  for (const title of Object.keys(bodies)) it(title, () => results.get(title))

  after(async () => {
    await Promise.allSettled(results.values())
    for (const engine of engines) await engine.close()
    await fixture?.close()
    if (directory !== undefined) await rm(directory, { recursive: true, force: true })
  })
})

/** A process of ours among the monitors of a pod. */
async function occupyCgroup({ podman }: PodmanFixture, workloadId: string): Promise<{ kill(): void }> {
  const intruder = execa('sleep', ['60'], { reject: false })
  const path = JSON.parse(await podman('pod', 'inspect', workloadId)).CgroupPath
  const files = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].map((root) => `${root}${path}/conmon/cgroup.procs`)
  await Promise.any(files.map((file) => writeFile(file, String(intruder.pid), { flag: 'r+' })))
  return { kill: () => void intruder.kill('SIGKILL') }
}

async function openStore(directory: string): Promise<Store> {
  const graph = join(directory, 'graph')
  await mkdir(graph, { recursive: true })
  const script = `mount -t tmpfs -o size=6m,mode=755 tmpfs /var/lib/containers &&
    mount -t tmpfs -o mode=755 tmpfs /run && mount -t tmpfs tmpfs /dev/shm && echo ready && exec sleep 120`
  const flags = ['-m', '-n', '--propagation', 'private']
  const options = { reject: false, stdin: 'ignore' } as const
  const holder: ResultPromise = execa('unshare', [...flags, 'sh', '-c', script], options)
  await new Promise((resolve) => holder.stdout?.once('data', resolve))
  const enter = ['-t', String(holder.pid), '-m', '-n']
  const inside = (...args: string[]) => execa('nsenter', [...enter, ...args], { env: settings() })
  const conf = join(directory, 'storage.conf')
  await writeFile(
    conf,
    `[storage]\ndriver = "overlay"\ngraphroot = "${graph}"\nrunroot = "/run/containers/other"\n`
  )
  const archive = join(directory, 'image.tar')
  await execa('podman', ['save', '--quiet', '--output', archive, IMAGE], { env: settings() })
  const other = ['env', `CONTAINERS_STORAGE_CONF=${conf}`, 'podman']
  await Promise.all([
    inside('podman', 'load', '-q', '-i', archive),
    inside(...other, 'load', '-q', '-i', archive)
  ])
  const enterAs = (...command: string[]) => `exec nsenter ${[...enter, ...command].join(' ')} "$@"`
  return {
    small: enterAs('podman'),
    onDisk: enterAs(...other),
    graph,
    inside,
    async close() {
      holder.kill('SIGKILL')
      await holder
    }
  }
}

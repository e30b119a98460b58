import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import type { DeployRequest, PodContainer } from '../../src/runtime/index.ts'
import { startPool } from '../conformance/engine/pool.ts'
import { errorOf } from '../conformance/engine/tools.ts'
import { until } from '../fixtures/until.ts'
import { createPodmanFixture, IMAGE, type PodmanFixture, toContainer } from './podman-fixture.ts'

/** A few at once, because each mostly waits. */
describe('podman engine, what is in a pod', function () {
  this.timeout(120_000)
  let fixture: PodmanFixture
  let results = new Map<string, Promise<void>>()
  const used: string[] = []

  const toRequest = (
    containers: readonly PodContainer[],
    spec: object = {},
    more: { files?: DeployRequest['files']; labels?: Record<string, string> } = {}
  ): DeployRequest => {
    const workloadId = `${fixture.prefix}p${used.length}`
    used.push(workloadId)
    const metadata = { name: workloadId, labels: more.labels ?? {} }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...spec } } as const
    return { workloadId, pod, files: more.files ?? [] }
  }
  const mounted = (name: string, volume: string, mountPath = '/data'): PodContainer => ({
    ...toContainer(name),
    volumeMounts: [{ name: volume, mountPath }]
  })
  const exec = (id: string, container: string, ...command: string[]) =>
    fixture.podman('exec', `${id}-${container}`, ...command)
  const inspect = async (id: string, container: string) =>
    JSON.parse(await fixture.podman('inspect', `${id}-${container}`))[0]

  const bodies: Record<string, () => Promise<void>> = {
    'answers on the host port at an address, at all, and at none in particular': async () => {
      const answer = async (hostIP: string | undefined) => {
        const { port, release } = await fixture.occupyPort()
        await release()
        const ports = [{ containerPort: 8080, hostPort: port, ...(hostIP === undefined ? {} : { hostIP }) }]
        await fixture.engine.deploy(toRequest([{ name: 'web', image: IMAGE, ports }]))
        // deploy promises that the container runs, not that its server listens yet
        return until('until the server answers', async () =>
          (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) })).text()
        )
      }
      const answers = await Promise.all(['127.0.0.1', '0.0.0.0', undefined].map(answer))
      expect(new Set(answers)).to.deep.equal(new Set(['hello from beemesh\n']))
    },

    'gives files to their own pod only, with their modes, in memory': async () => {
      const key = { path: 'tls/key', content: new TextEncoder().encode('secret'), mode: 0o400 }
      const files = [
        { volume: 'v', files: [key, { ...key, path: 'note', mode: 0o444 }], owner: { uid: 1000, gid: 1000 } }
      ]
      const spec = {
        securityContext: { runAsUser: 1000, runAsGroup: 1000 },
        volumes: [{ name: 'v', secret: { secretName: 's' } }]
      }
      const first = toRequest([mounted('a', 'v')], spec, { files })
      const other = toRequest([mounted('a', 'v')], { volumes: [{ name: 'v', emptyDir: {} }] })
      await fixture.engine.deploy(first)
      await fixture.engine.deploy(other)
      expect(await exec(first.workloadId, 'a', 'cat', '/data/tls/key')).to.equal('secret')
      expect(
        await exec(first.workloadId, 'a', 'stat', '-c', '%a %u %g', '/data/tls/key', '/data/note')
      ).to.equal('400 1000 1000\n444 1000 1000')
      expect((await errorOf(exec(first.workloadId, 'a', 'touch', '/data/new')))?.message).to.contain(
        'Read-only file system'
      )
      expect(await exec(other.workloadId, 'a', 'ls', '-A', '/data')).to.equal('')
      const [mount] = (await inspect(first.workloadId, 'a')).Mounts
      expect(await exec(first.workloadId, 'a', 'stat', '-f', '-c', '%T', '/data')).to.equal('tmpfs')
      expect(mount.RW).to.equal(false)
    },

    'gives each pod an emptyDir of its own, shared by its containers': async () => {
      const spec = { volumes: [{ name: 'v', emptyDir: {} }] }
      const [one, two] = [
        toRequest([mounted('a', 'v'), mounted('b', 'v')], spec),
        toRequest([mounted('a', 'v')], spec)
      ]
      await fixture.engine.deploy(one)
      await fixture.engine.deploy(two)
      await exec(one.workloadId, 'a', 'touch', '/data/mine')
      expect(await exec(one.workloadId, 'b', 'ls', '/data')).to.equal('mine')
      expect(await exec(two.workloadId, 'a', 'ls', '-A', '/data')).to.equal('')
    },

    'keeps an emptyDir in memory, and in bounds, when the pod asks for that': async () => {
      const request = toRequest([mounted('a', 'v')], {
        volumes: [{ name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }]
      })
      await fixture.engine.deploy(request)
      const write = (kib: number) =>
        exec(request.workloadId, 'a', 'dd', 'if=/dev/zero', 'of=/data/x', 'bs=1024', `count=${kib}`)
      await write(900)
      expect((await errorOf(write(1100)))?.message).to.contain('No space left')
    },

    'enforces limits': async () => {
      const limited = { ...toContainer('a'), resources: { limits: { memory: '64Mi', cpu: '500m' } } }
      const request = toRequest([limited])
      await fixture.engine.deploy(request)
      const { HostConfig, State } = await inspect(request.workloadId, 'a')
      expect(HostConfig).to.include({ Memory: 64 * 2 ** 20, CpuQuota: 50_000, CpuPeriod: 100_000 })
      const read = (...paths: string[]) =>
        paths.reduce<Promise<string>>(
          (found, path) => found.catch(() => readFile(path, 'utf8')),
          Promise.reject(new RangeError('no path'))
        )
      const memory = await read(
        `/sys/fs/cgroup/memory${State.CgroupPath}/memory.limit_in_bytes`,
        `/sys/fs/cgroup${State.CgroupPath}/memory.max`
      )
      expect(Number(memory)).to.equal(64 * 2 ** 20)
      const cpu = await read(
        `/sys/fs/cgroup/cpu${State.CgroupPath}/cpu.cfs_quota_us`,
        `/sys/fs/cgroup${State.CgroupPath}/cpu.max`
      )
      expect(Number.parseInt(cpu, 10)).to.equal(50_000)
    },

    'runs init containers to their end first': async () => {
      const spec = { volumes: [{ name: 'v', emptyDir: {} }] }
      const init = { ...mounted('prepare', 'v'), command: ['sh', '-c', 'echo ready > /data/state'] }
      const request = toRequest([mounted('a', 'v')], { ...spec, initContainers: [init] })
      expect((await fixture.engine.deploy(request)).containers.map(({ name }) => name)).to.deep.equal(['a'])
      expect(await exec(request.workloadId, 'a', 'cat', '/data/state')).to.equal('ready')
      const failing = toRequest([toContainer('a')], {
        initContainers: [toContainer('prepare', { exitCode: 4 })]
      })
      expect((await errorOf(fixture.engine.deploy(failing)))?.code).to.equal('START_FAILED')
      expect(await fixture.leftovers(failing.workloadId)).to.deep.equal([])
    },

    'gives a container its grace': async () => {
      const polite = {
        ...toContainer('a'),
        command: ['sh', '-c', 'trap "sleep 0.3; echo bye > /data/x; exit 0" TERM; sleep 1000 & wait']
      }
      const claim = `${fixture.prefix}grace`
      const request = toRequest([{ ...polite, volumeMounts: [{ name: 'v', mountPath: '/data' }] }], {
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: claim } }]
      })
      try {
        await fixture.engine.deploy(request)
        await fixture.engine.remove(request.workloadId, { graceMs: 10_000 })
        const path = await fixture.podman('volume', 'inspect', claim, '--format', '{{.Mountpoint}}')
        expect(await readFile(`${path}/x`, 'utf8')).to.equal('bye\n')
      } finally {
        await fixture.podman('volume', 'rm', '--force', claim)
      }
    },

    'is not fooled by labels of an image': async () => {
      const image = `localhost/${fixture.prefix}labels:1`
      const id = await fixture.podman('create', '--name', `${fixture.prefix}labels`, toContainer('x').image)
      try {
        await fixture.podman('commit', '--quiet', '--change', 'LABEL test.owner=me', id, image)
        const request = toRequest([{ ...toContainer('a'), image }])
        const { labels } = await fixture.engine.deploy(request)
        expect(labels).to.deep.equal({})
        expect(await fixture.engine.list({ labels: { 'test.owner': 'me' } })).to.deep.equal([])
        await fixture.engine.remove(request.workloadId)
      } finally {
        await fixture.podman('rm', '--force', id)
        await fixture.podman('rmi', '--force', image)
      }
    },

    'refuses what podman would ignore or crash on': async () => {
      const code = async (containers: readonly PodContainer[], spec: object) =>
        (await errorOf(fixture.engine.deploy(toRequest(containers, spec))))?.code
      expect(
        await code([toContainer('a')], { volumes: [{ name: 'v', secret: { secretName: 's' } }] })
      ).to.equal('POD_REFUSED')
      expect(await code([toContainer('a')], { hostPID: true })).to.equal('POD_REFUSED')
      const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }]
      expect(await code([{ ...toContainer('a'), env }], {})).to.equal('POD_REFUSED')
      expect(await code([], {})).to.equal('POD_REFUSED')
    },

    'keeps order and stream of what a container wrote, and very long lines': async () => {
      const script =
        'echo out; sleep 0.01; echo err >&2; sleep 0.01; echo out again; head -c 100000 /dev/zero | tr "\\\\0" x; echo; printf end'
      const request = toRequest([{ ...toContainer('a'), command: ['sh', '-c', script] }])
      await fixture.engine.deploy(request)
      const seen: [string, string][] = []
      for await (const { stream, line } of fixture.engine.logs(request.workloadId, { follow: true }))
        seen.push([stream, line])
      expect(seen.slice(0, 3)).to.deep.equal([
        ['stdout', 'out'],
        ['stderr', 'err'],
        ['stdout', 'out again']
      ])
      expect(seen.slice(3).map(([, line]) => line.length)).to.deep.equal([100_000, 3])
      const tail: number[] = []
      for await (const { line } of fixture.engine.logs(request.workloadId, { tail: 2 }))
        tail.push(line.length)
      expect(tail).to.deep.equal([100_000, 3])
    }
  }

  before(async function () {
    const made = await createPodmanFixture()
    if (made === undefined) return this.skip()
    fixture = made
    results = startPool(bodies, 3)
  })

  for (const title of Object.keys(bodies)) it(title, () => results.get(title))

  it('leaves nothing of all that', async () => {
    await Promise.allSettled(results.values())
    await Promise.all(used.map((id) => fixture.engine.remove(id)))
    for (const id of used) expect(await fixture.leftovers(id)).to.deep.equal([])
  })

  after(() => fixture?.close())
})

import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { type DeployRequest, DockerEngine, type PodContainer } from '../../src/runtime/index.ts'
import { startPool } from '../conformance/engine/pool.ts'
import { errorOf, run, until } from '../conformance/engine/tools.ts'
import { describeEngine } from '../conformance/engine-suite.ts'
import { standStill } from '../fixtures/stand-still.ts'
import { IMAGE, toContainer } from './container-fixture.ts'
import { type DockerFixture, openDockerFixture } from './docker-fixture.ts'

describeEngine('docker', async () => {
  const fixture = await openDockerFixture()
  return fixture && { ...fixture, close: async () => {} }
})

describe('docker engine', function () {
  this.timeout(120_000)
  let fixture: DockerFixture
  let results = new Map<string, Promise<void>>()
  let count = 0

  const toRequest = (
    containers: readonly PodContainer[],
    spec: object = {},
    more: Partial<DeployRequest> = {}
  ): DeployRequest => {
    const workloadId = `${fixture.prefix}d${count++}`
    const metadata = { name: workloadId, labels: {} }
    return {
      workloadId,
      files: [],
      pod: { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers, ...spec } },
      ...more
    }
  }
  const mounted = (name: string, volume: string): PodContainer => ({
    ...toContainer(name),
    volumeMounts: [{ name: volume, mountPath: '/data' }]
  })
  const shell = async (id: string, script: string, container = 'a') =>
    run(fixture.engine, id, ['sh', '-c', script], { container })
  const deployed = async (request: DeployRequest, look: (id: string) => Promise<void>) => {
    try {
      await fixture.engine.deploy(request)
      await look(request.workloadId)
    } finally {
      await fixture.engine.remove(request.workloadId)
    }
    expect(await fixture.leftovers(request.workloadId)).to.deep.equal([])
  }

  const bodies: Record<string, () => Promise<void>> = {
    'gives files to the pod, with their modes, in memory and read-only': async () => {
      const content = new TextEncoder().encode('secret')
      const owner = { uid: 1000, gid: 1000 }
      const files = [{ volume: 'v', files: [{ path: 'tls/key', content, mode: 0o400 }], owner }]
      const securityContext = { runAsUser: 1000, runAsGroup: 1000 }
      const spec = { securityContext, volumes: [{ name: 'v', secret: { secretName: 's' } }] }
      await deployed(toRequest([mounted('a', 'v')], spec, { files }), async (id) => {
        const seen = await shell(
          id,
          'cat /data/tls/key; stat -c " %a %u" /data/tls/key; stat -f -c %T /data; touch /data/x'
        )
        expect(seen.stdout).to.equal('secret 400 1000\ntmpfs\n')
        expect(seen.stderr).to.contain('Read-only file system')
      })
    },

    'gives each pod an emptyDir of its own, shared by its containers, in bounds, for any user': async () => {
      const spec = { volumes: [{ name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }] }
      const other = { ...mounted('b', 'v'), securityContext: { runAsUser: 1000 } }
      await deployed(toRequest([mounted('a', 'v'), other], spec), async (id) => {
        expect((await shell(id, 'echo mine > /data/x', 'b')).exitCode).to.equal(0)
        expect((await shell(id, 'cat /data/x')).stdout).to.equal('mine\n')
        expect((await shell(id, 'dd if=/dev/zero of=/data/y bs=1024 count=1100')).stderr).to.contain(
          'No space left'
        )
        await deployed(toRequest([mounted('a', 'v')], spec), async (second) => {
          expect((await shell(second, 'ls -A /data')).stdout).to.equal('')
        })
      })
    },

    'enforces limits, and what the security context says': async () => {
      const container = {
        ...toContainer('a'),
        resources: { limits: { memory: '64Mi', cpu: '500m' } },
        securityContext: {
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          runAsUser: 1000,
          runAsGroup: 1001
        }
      }
      await deployed(toRequest([container], {}, { pidsLimit: 50 }), async (id) => {
        const { HostConfig } = await fixture.docker.getContainer(`beemesh.${id}.a`).inspect()
        expect(HostConfig).to.include({ Memory: 64 * 2 ** 20, NanoCpus: 5e8, PidsLimit: 50 })
        const { stdout, stderr } = await shell(
          id,
          'id -u; id -g; grep -E "CapBnd|NoNewPrivs" /proc/self/status; touch /x'
        )
        expect(stdout.split(/\s+/).slice(0, 6)).to.deep.equal([
          '1000',
          '1001',
          'CapBnd:',
          '0000000000000000',
          'NoNewPrivs:',
          '1'
        ])
        expect(stderr).to.contain('Read-only file system')
      })
    },

    'runs init containers in their order, to their end, before the others': async () => {
      const spec = { volumes: [{ name: 'v', emptyDir: {} }] }
      const init = (name: string) => ({
        ...mounted(name, 'v'),
        command: ['sh', '-c', `sleep 0.1; echo ${name} >> /data/x`]
      })
      const withInit = toRequest([mounted('a', 'v')], { ...spec, initContainers: [init('one'), init('two')] })
      await deployed(withInit, async (id) => {
        expect((await shell(id, 'cat /data/x')).stdout).to.equal('one\ntwo\n')
        expect((await fixture.engine.status(id))?.containers.map(({ name }) => name)).to.deep.equal(['a'])
      })
      const failing = { ...toContainer('prepare'), command: ['sh', '-c', 'echo no luck; exit 4'] }
      const request = toRequest([toContainer('a')], { initContainers: [failing] })
      const error = await errorOf(fixture.engine.deploy(request))
      expect(error?.code).to.equal('START_FAILED')
      expect(error?.message).to.contain('"prepare" ended with 4: no luck')
      expect(await fixture.leftovers(request.workloadId)).to.deep.equal([])
    },

    'puts the containers of a pod into one network, with its names': async () => {
      const spec = {
        hostname: 'inside',
        hostAliases: [{ ip: '192.0.2.7', hostnames: ['elsewhere'] }],
        dnsConfig: { nameservers: ['192.0.2.53'], searches: ['example.test'] }
      }
      await deployed(toRequest([toContainer('a'), { name: 'web', image: IMAGE }], spec), async (id) => {
        const { stdout } = await shell(
          id,
          'hostname; until wget -q -O - http://127.0.0.1:8080/; do sleep 0.05; done; cat /etc/hosts /etc/resolv.conf'
        )
        expect(stdout).to.match(/^inside\nhello from beemesh\n/)
        expect(stdout).to.match(/192\.0\.2\.7\s+elsewhere/)
        expect(stdout).to.contain('nameserver 192.0.2.53').and.to.contain('search example.test')
      })
    },

    'says that a pod has failed whose network was taken away, and that a restart does not help': async () => {
      await deployed(toRequest([toContainer('a')]), async (id) => {
        await fixture.docker.getContainer(`beemesh.${id}`).kill()
        const { message } = await until(fixture.engine, id, ({ state }) => state === 'failed')
        expect(message).to.contain('network')
        expect((await errorOf(fixture.engine.restart(id, 'a')))?.code).to.equal('RESTART_FAILED')
      })
    },

    'is not fooled by labels of an image, and shows none of its own': async () => {
      const image = 'localhost/bmt-labels:1'
      const source = await fixture.docker.createContainer({ Image: IMAGE })
      const labels = { 'test.owner': 'me', 'io.beemesh.container': 'z' }
      const [repo, tag] = image.split(':')
      await source.commit({
        repo,
        tag,
        changes: Object.entries(labels).map(([key, value]) => `LABEL ${key}=${value}`)
      })
      await source.remove()
      await deployed(toRequest([{ ...toContainer('a'), image }]), async (id) => {
        expect((await fixture.engine.status(id))?.labels).to.deep.equal({})
        expect(await fixture.engine.list({ labels: { 'test.owner': 'me' } })).to.deep.equal([])
      })
    },

    'keeps stream and order of what a container wrote, and very long lines': async () => {
      const script =
        'echo out; sleep 0.3; echo err >&2; sleep 0.3; head -c 100000 /dev/zero | tr "\\0" x; echo; printf end'
      await deployed(toRequest([{ ...toContainer('a'), command: ['sh', '-c', script] }]), async (id) => {
        const seen: [string, number][] = []
        for await (const { stream, line } of fixture.engine.logs(id, { follow: true }))
          seen.push([stream, line.length])
        expect(seen).to.deep.equal([
          ['stdout', 3],
          ['stderr', 3],
          ['stdout', 100_000],
          ['stdout', 3]
        ])
      })
    },

    'refuses what docker would do differently': async () => {
      const code = async (containers: readonly PodContainer[], spec: object) =>
        (await errorOf(fixture.engine.deploy(toRequest(containers, spec))))?.code
      const secret = { volumes: [{ name: 'v', secret: { secretName: 's' } }] }
      const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }]
      const subPath = { ...toContainer('a'), volumeMounts: [{ name: 'v', mountPath: '/data', subPath: 'x' }] }
      expect(await code([toContainer('a')], secret)).to.equal('POD_REFUSED')
      expect(await code([toContainer('a')], { hostPID: true })).to.equal('POD_REFUSED')
      expect(await code([{ ...toContainer('a'), env }], {})).to.equal('POD_REFUSED')
      expect(await code([mounted('a', 'nowhere')], {})).to.equal('POD_REFUSED')
      expect(await code([subPath], { volumes: [{ name: 'v', emptyDir: {} }] })).to.equal('POD_REFUSED')
      expect(await code([], {})).to.equal('POD_REFUSED')
    }
  }

  before(async function () {
    const made = await openDockerFixture()
    if (made === undefined) return this.skip()
    fixture = made
    results = startPool(bodies, 4)
  })

  for (const title of Object.keys(bodies)) it(title, () => results.get(title))

  it('finds its workloads again after a restart, and gives up a daemon that hangs', async () => {
    await Promise.allSettled(results.values())
    const request = toRequest([toContainer('a')])
    await fixture.engine.deploy(request)
    const second = await fixture.createEngine({ timeouts: { readMs: 500 } })
    expect((await second.status(request.workloadId))?.state).to.equal('running')
    const pid = Number(await readFile(`${fixture.runDir}/dockerd/dockerd.pid`, 'utf8'))
    await standStill(pid)
    try {
      const error = await errorOf(second.status(request.workloadId))
      expect(error?.code).to.equal('ENGINE_TIMEOUT')
      expect((await second.isAvailable()).reason).to.contain('500 ms')
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await second.remove(request.workloadId)
  })

  it('is unavailable, with a reason, where there is no Docker, or one on another machine', async () => {
    const nowhere = await fixture.createEngine({ socketPath: '/nonexistent/docker.sock' })
    expect((await nowhere.isAvailable()).reason).to.contain('ENOENT')
    expect((await errorOf(nowhere.deploy(toRequest([toContainer('a')]))))?.code).to.equal(
      'ENGINE_UNAVAILABLE'
    )
    const { DOCKER_HOST: before = '' } = process.env // empty is the same as none
    process.env.DOCKER_HOST = 'tcp://192.0.2.1:2375'
    const { reason } = await new DockerEngine({ runDir: fixture.runDir }).isAvailable()
    process.env.DOCKER_HOST = before
    expect(reason).to.contain('Unix socket')
  })

  after(async () => {
    await Promise.allSettled(results.values())
    await fixture?.close()
  })
})

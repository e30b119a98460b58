import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { canonicalBytes, parseCanonical, parseManifests, toPod } from '../../src/manifest/index.ts'
import { refusalOf } from './fixtures/manifests.ts'

const FOLDER = new URL('./fixtures/real-world/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8')

/** Kind, namespace, name, copies and objects of each manifest. */
const ACCEPTED: Readonly<Record<string, readonly string[]>> = {
  'spread-web.yaml': ['Deployment default/shop x3 of 1'],
  'php-apache-autoscaled.yaml': ['Deployment default/php-apache x1 of 3'],
  'nginx-deployment.yaml': ['Deployment default/nginx-deployment x3 of 1'],
  'redis-configmap.yaml': ['Pod default/redis x1 of 2'],
  'wordpress-mysql.yaml': [
    'Deployment default/wordpress-mysql x1 of 2',
    'Deployment default/wordpress x1 of 2'
  ],
  'postgres-secret-files.yaml': ['Pod default/postgres x1 of 2'],
  'init-and-sidecar.yaml': ['Deployment demo/page x2 of 1'],
  'deployment-with-service.yaml': ['Deployment default/web x1 of 2'],
  'dry-run.yaml': ['Deployment default/hello x1 of 1'],
  'stateful-postgres.yaml': ['StatefulSet default/postgres x3 of 3'],
  'wordpress-claims.yaml': [
    'Deployment default/wordpress-mysql x1 of 4',
    'Deployment default/wordpress x1 of 4'
  ],
  'backup-cron.yaml': ['CronJob ops/backup x1 of 1'],
  'hello-cron.yaml': ['CronJob default/hello x1 of 1'],
  'pi-job.yaml': ['Job default/pi x1 of 1'],
  'indexed-job.yaml': ['Job default/render x4 of 1'],
  'daemon-agent.yaml': ['DaemonSet default/agent x1 of 1'],
  'kubectl-get-deployment.yaml': ['Deployment default/web x2 of 1'],
  'voting-app.yaml': ['Deployment vote/vote x1 of 2', 'Deployment vote/redis x1 of 2'],
  'downward-env.yaml': ['Pod default/envars x1 of 1'],
  'env-from-list.json': ['Deployment default/api x1 of 2']
}

/** Every path that is reported, so that nothing is refused that should not be. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'helm-chart.yaml': ['spec.template.spec.serviceAccountName'],
  'node-exporter.yaml': [
    'spec.hostNetwork',
    'spec.hostPID',
    'spec.containers[0].securityContext.privileged',
    'spec.containers[0].volumeMounts[0].mountPropagation',
    'spec.volumes[0].hostPath'
  ],
  'nginx-subpath.yaml': ['spec.securityContext.fsGroup', 'spec.containers[0].volumeMounts[0].subPath'],
  'fluentd-daemon.yaml': ['spec.template.spec.volumes[0].hostPath'],
  'microservice-demo.yaml': [
    'spec.template.spec.serviceAccountName',
    'spec.template.spec.containers[0].readinessProbe.grpc',
    'spec.template.spec.containers[0].livenessProbe.grpc',
    'kind'
  ],
  'guestbook-load-balancer.yaml': ['spec.type'],
  'kubectl-get-service.yaml': ['items[0].spec.clusterIP', 'items[0].spec.clusterIPs[0]'],
  'helm-service-ingress.yaml': ['kind'],
  'gpu-training.yaml': [
    'spec.template.spec.containers[0].resources.limits["nvidia.com/gpu"]',
    'spec.template.spec.containers[0].resources.limits.ephemeral-storage'
  ],
  'restricted-pod.yaml': ['spec.containers[0].securityContext.runAsUser'],
  'sidecar-init.yaml': [
    'spec.template.spec.initContainers[0].restartPolicy',
    'spec.template.spec.containers[0].lifecycle'
  ],
  'shared-media.yaml': ['metadata.name'],
  'old-api.yaml': ['apiVersion', 'apiVersion'],
  'chart-template.yaml': [''],
  'kubectl-get.yaml': ['spec.nodeName'],
  'cron-and-stateful.yaml': [
    'spec.jobTemplate.spec.template.spec.restartPolicy',
    'spec.template',
    'spec.selector.matchLabels.app'
  ]
}

describe('manifest/real-world manifests', () => {
  it('are all named here', () => {
    expect([...Object.keys(ACCEPTED), ...Object.keys(REFUSED)]).to.have.members(readdirSync(FOLDER))
  })

  for (const [name, expected] of Object.entries(ACCEPTED))
    it(`accepts ${name}, on the node too, and makes pods of it`, () => {
      const manifests = parseManifests(read(name), { file: name })
      expect(
        manifests.map(
          (one) => `${one.kind} ${one.namespace}/${one.name} x${one.replicas} of ${one.objects.length}`
        )
      ).to.deep.equal(expected)
      for (const manifest of manifests) {
        const received = parseCanonical(canonicalBytes(manifest, new Uint8Array(32))).manifest
        const ports = received.ports.map(({ containerPort, protocol }, index) => ({
          containerPort,
          protocol,
          hostPort: 19_000 + index,
          hostIp: '127.0.0.1'
        }))
        const { pod } = toPod(received, {
          workloadId: 'copy',
          ordinal: 0,
          labels: {},
          ports,
          claimPrefix: 'bm-1',
          ...(received.job === undefined ? {} : { completion: 0 })
        })
        expect(
          pod.spec.containers.flatMap((one) => (one.ports as unknown[] | undefined) ?? [])
        ).to.have.length(ports.length)
      }
    })

  for (const [name, paths] of Object.entries(REFUSED))
    it(`refuses ${name} for exactly the fields that are not honoured`, () => {
      const error = refusalOf(() => parseManifests(read(name), { file: name }))
      expect(
        error.violations.map(({ path }) => path),
        error.message
      ).to.have.members(paths)
      expect(error.message).to.match(new RegExp(`^${name} cannot be accepted`))
    })

  it('gives the init container its own name, the password its file, and Redis its settings', () => {
    const [page] = parseManifests(read('init-and-sidecar.yaml'))
    const { pod } = toPod(page!, { workloadId: 'page-1', ordinal: 0, labels: {}, ports: [] })
    const [init] = pod.spec.initContainers as { command: string[] }[]
    expect(init?.command[2]).to.equal('echo "hello from page-1" > /work/index.html')

    const [postgres] = parseManifests(read('postgres-secret-files.yaml'))
    const { files } = toPod(postgres!, { workloadId: 'pg', ordinal: 0, labels: {}, ports: [] })
    expect(files).to.deep.equal([
      {
        volume: 'pg-keys',
        files: [{ path: 'password', content: new TextEncoder().encode('postgres'), mode: 0o400 }],
        owner: { uid: 999, gid: 999 }
      }
    ])

    const [redis] = parseManifests(read('redis-configmap.yaml'))
    const [config] = toPod(redis!, { workloadId: 'redis', ordinal: 0, labels: {}, ports: [] }).files
    expect(config?.files.map(({ path }) => path)).to.deep.equal(['redis.conf'])
  })
})

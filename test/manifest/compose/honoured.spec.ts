import { expect } from 'chai'
import { PROJECT_FIELDS } from '../../../src/manifest/compose/index.ts'
import { canonicalBytes, parseCanonical, parseManifests, toPod } from '../../../src/manifest/index.ts'
import { file, parseOne, pod } from '../fixtures/manifests.ts'
import { convert, db, type Json, project } from './fixtures.ts'

const volumes = { volumes: { data: null } }
const configs = { configs: { site: { content: 'a $$x' } } }
const secrets = { secrets: { pw: { content: 'hunter2' } } }
const always = { restart: 'always' }

/** For each honoured field of a service, what it makes. */
const FIELDS: Readonly<Record<string, () => void>> = {
  image: () => {
    expect(convert(project()).web).to.deep.equal({ name: 'web', image: 'localhost/web:1' })
  },
  command: () => {
    expect(convert(project({ command: ['a', 'b c'] })).web.args).to.deep.equal(['a', 'b c'])
    expect(convert(project({ command: `sh -c "a 'b'" c\\ d ''` })).web.args).to.deep.equal([
      'sh',
      '-c',
      "a 'b'",
      'c d',
      ''
    ])
    expect(convert(project({ command: null })).web).to.not.have.property('args')
  },
  entrypoint: () => {
    const { web } = convert(project({ entrypoint: '/start --now', command: ['x'] }))
    expect([web.command, web.args]).to.deep.equal([['/start', '--now'], ['x']])
    for (const entrypoint of ['', []]) {
      const bare = convert(project({ entrypoint, command: ['x', 'y'] })).web
      expect([bare.command, bare.args]).to.deep.equal([['x', 'y'], undefined])
    }
  },
  environment: () => {
    const env = [
      { name: 'A', value: 'x=y' },
      { name: 'N', value: '1' },
      { name: 'T', value: 'true' },
      { name: 'E', value: '' }
    ]
    const map = { A: 'x=y', N: 1, T: true, E: '' }
    expect(convert(project({ environment: map })).web.env).to.deep.equal(env)
    expect(convert(project({ environment: ['A=x=y', 'N=1', 'T=true', 'E='] })).web.env).to.deep.equal(env)
  },
  ports: () => {
    const of = (...ports: unknown[]) => convert(project({ ports })).web.ports
    const tcp = { containerPort: 80, protocol: 'TCP' }
    expect(of('80')).to.deep.equal([tcp])
    expect(of(80)).to.deep.equal([tcp])
    expect(of('0:80')).to.deep.equal([tcp])
    expect(of('8080:80', '53:53/udp')).to.deep.equal([
      { ...tcp, hostPort: 8080 },
      { containerPort: 53, protocol: 'UDP', hostPort: 53 }
    ])
    expect(of('127.0.0.1:8080:80')).to.deep.equal([{ ...tcp, hostPort: 8080, hostIP: '127.0.0.1' }])
    expect(of('[::1]:8080:80')).to.deep.equal([{ ...tcp, hostPort: 8080, hostIP: '::1' }])
    expect(of('::1:8080:80')).to.deep.equal([{ ...tcp, hostPort: 8080, hostIP: '::1' }])
    expect(of('127.0.0.1::80')).to.deep.equal([{ ...tcp, hostIP: '127.0.0.1' }])
    expect(of('9080-9081:80-81')).to.deep.equal([
      { ...tcp, hostPort: 9080 },
      { ...tcp, containerPort: 81, hostPort: 9081 }
    ])
    expect(of('80-81')).to.deep.equal([tcp, { ...tcp, containerPort: 81 }])
    const long = { target: 80, published: '8080', host_ip: '127.0.0.1', protocol: 'tcp', mode: 'ingress' }
    expect(of(long)).to.deep.equal([{ ...tcp, hostPort: 8080, hostIP: '127.0.0.1' }])
    expect(of({ target: 80, app_protocol: 'http', name: 'web' })).to.deep.equal([tcp])
  },
  volumes: () => {
    const { spec, web, objects } = convert(
      project({ volumes: ['data:/a', 'data:/b:ro', '/c', { type: 'tmpfs', target: '/d' }] }, volumes)
    )
    expect(web.volumeMounts).to.deep.equal([
      { name: 'data', mountPath: '/a' },
      { name: 'data', mountPath: '/b', readOnly: true },
      { name: 'web-scratch', mountPath: '/c' },
      { name: 'web-tmpfs', mountPath: '/d' }
    ])
    expect(spec.volumes).to.deep.equal([
      { name: 'data', persistentVolumeClaim: { claimName: 'shop-data' } },
      { name: 'web-scratch', emptyDir: {} },
      { name: 'web-tmpfs', emptyDir: { medium: 'Memory' } }
    ])
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).to.deep.equal([
      'Pod shop',
      'PersistentVolumeClaim shop-data'
    ])
    const long = { type: 'volume', source: 'data', target: '/a', read_only: true, volume: { nocopy: true } }
    expect(convert(project({ volumes: [long] }, volumes)).web.volumeMounts).to.deep.equal([
      { name: 'data', mountPath: '/a', readOnly: true }
    ])
  },
  tmpfs: () => {
    const { spec, web } = convert(project({ tmpfs: ['/run', '/tmp:size=1m'] }))
    expect(web.volumeMounts?.map(({ mountPath }) => mountPath)).to.deep.equal(['/run', '/tmp'])
    expect(spec.volumes?.map(({ emptyDir }) => emptyDir)).to.deep.equal([
      { medium: 'Memory' },
      { medium: 'Memory', sizeLimit: 2 ** 20 }
    ])
    expect(convert(project({ tmpfs: '/run' })).web.volumeMounts).to.have.length(1)
  },
  configs: () => {
    const long = { source: 'site', target: '/etc/web/site.conf', mode: '0440' }
    const { spec, web, objects } = convert(project({ configs: [long] }, configs))
    expect(web.volumeMounts).to.deep.equal([{ name: 'web-configs', mountPath: '/etc/web', readOnly: true }])
    expect(spec.volumes?.[0]?.configMap).to.deep.equal({
      name: 'shop-configs',
      items: [{ key: 'site', path: 'site.conf', mode: 0o440 }]
    })
    expect(objects[1]).to.deep.include({ kind: 'ConfigMap', data: { site: 'a $x' } })
  },
  secrets: () => {
    const { spec, web, objects } = convert(
      project({ secrets: ['pw', { source: 'pw', target: 'again' }] }, secrets)
    )
    expect(web.volumeMounts).to.deep.equal([
      { name: 'web-secrets', mountPath: '/run/secrets', readOnly: true }
    ])
    expect(spec.volumes?.[0]?.secret).to.deep.equal({
      secretName: 'shop-secrets',
      items: [
        { key: 'pw', path: 'pw' },
        { key: 'pw', path: 'again' }
      ]
    })
    expect(objects[1]).to.deep.include({ kind: 'Secret', stringData: { pw: 'hunter2' } })
  },
  depends_on: () => {
    const names = (depends_on: unknown) => {
      const { spec } = convert(project({ depends_on }, {}, { db: db(), setup: db() }))
      return [spec.initContainers ?? [], spec.containers].map((some) => some.map(({ name }) => name))
    }
    expect(names(undefined)).to.deep.equal([[], ['web', 'db', 'setup']])
    expect(names(['setup', 'db'])).to.deep.equal([[], ['setup', 'db', 'web']])
    expect(
      names({ setup: { condition: 'service_completed_successfully' }, db: { condition: 'service_started' } })
    ).to.deep.equal([['setup'], ['db', 'web']])
    expect(names({ gone: { condition: 'service_started', required: false } })).to.have.length(2)
    const healthy = { db: { condition: 'service_healthy' } }
    expect(
      convert(project({ depends_on: healthy, ...always }, {}, { db: db(always) })).spec.restartPolicy
    ).to.equal('Always')
  },
  networks: () => {
    const aliases = { front: { aliases: ['shop.example'] } }
    const { spec } = convert(
      project(
        { networks: aliases },
        { networks: { front: null, back: null } },
        { db: db({ networks: ['back', 'front'] }) }
      )
    )
    expect(spec.hostAliases).to.deep.equal([{ ip: '127.0.0.1', hostnames: ['web', 'shop.example', 'db'] }])
    expect(convert(project({ networks: { default: null } }, { networks: { default: { name: 'x' } } })).spec)
      .to.have.property('hostAliases')
      .with.length(1)
  },
  container_name: () => {
    expect(convert(project({ container_name: 'shop-web' })).spec.hostAliases).to.deep.equal([
      { ip: '127.0.0.1', hostnames: ['web', 'shop-web'] }
    ])
  },
  hostname: () => {
    const { spec } = convert(project({ hostname: 'front' }, {}, { db: db() }))
    expect(spec.hostname).to.equal('front')
    expect(spec.hostAliases).to.deep.equal([{ ip: '127.0.0.1', hostnames: ['web', 'front', 'db'] }])
  },
  extra_hosts: () => {
    const expected = [
      { ip: '127.0.0.1', hostnames: ['web'] },
      { ip: '10.0.0.1', hostnames: ['a', 'b'] },
      { ip: '::1', hostnames: ['c'] }
    ]
    for (const extra_hosts of [
      ['a=10.0.0.1', 'b:10.0.0.1', 'c=[::1]'],
      { a: '10.0.0.1', b: ['10.0.0.1'], c: '::1' }
    ])
      expect(convert(project({ extra_hosts })).spec.hostAliases).to.deep.equal(expected)
  },
  restart: () => {
    const policies = { no: 'Never', always: 'Always', 'unless-stopped': 'Always', 'on-failure': 'OnFailure' }
    for (const [restart, policy] of Object.entries(policies))
      expect(convert(project({ restart }, {}, { db: db({ restart }) })).spec.restartPolicy).to.equal(policy)
    expect(convert(project()).spec.restartPolicy).to.equal('Never')
  },
  healthcheck: () => {
    const probe = (healthcheck: Json) => convert(project({ healthcheck })).web.readinessProbe
    const shell = { exec: { command: ['/bin/sh', '-c', 'a && b'] } }
    const defaults = { periodSeconds: 30, timeoutSeconds: 30, failureThreshold: 3 }
    expect(probe({ test: 'a && b' })).to.deep.equal({ ...shell, ...defaults })
    expect(probe({ test: ['CMD-SHELL', 'a && b'], start_period: '5s' })).to.deep.equal({
      ...shell,
      ...defaults
    })
    expect(
      probe({ test: ['CMD', 'a', '$$x'], interval: '1m30s', timeout: '1500ms', retries: 5 })
    ).to.deep.equal({
      exec: { command: ['a', '$$x'] },
      periodSeconds: 90,
      timeoutSeconds: 2,
      failureThreshold: 5
    })
    for (const none of [{ test: ['NONE'] }, { disable: true }, { test: 'a', disable: true }])
      expect(probe(none)).to.equal(undefined)
  },
  stop_grace_period: () => {
    const of = (first: Json, second: Json) =>
      convert(project(first, {}, { db: db(second) })).spec.terminationGracePeriodSeconds
    expect(of({ stop_grace_period: '1m30s' }, { stop_grace_period: '5s' })).to.equal(90)
    expect(of({ stop_grace_period: '1s' }, { stop_grace_period: '2500ms' })).to.equal(3)
    expect(of({ stop_grace_period: '1s' }, {})).to.equal(10)
    expect(of({}, {})).to.equal(undefined)
  },
  deploy: () => {
    const limits = { cpus: '0.5', memory: '64M', pids: 20 }
    const resources = { limits, reservations: { cpus: 0.25, memory: '32m' } }
    const deploy = { resources, replicas: 1, mode: 'replicated', restart_policy: { condition: 'any' } }
    const { web, workload, spec } = convert(project({ deploy, restart: 'no' }))
    expect(web.resources).to.deep.equal({
      limits: { cpu: '0.5', memory: 64 * 2 ** 20 },
      requests: { cpu: '0.25', memory: 32 * 2 ** 20 }
    })
    expect(workload.metadata.annotations).to.include({ 'beemesh.io/pids-limit': '20' })
    expect(spec.restartPolicy).to.equal('Always')
  },
  cpus: () => {
    expect(convert(project({ cpus: 1.5 })).web.resources).to.deep.equal({ limits: { cpu: '1.5' } })
  },
  mem_limit: () => {
    for (const [mem_limit, memory] of [
      ['64m', 64 * 2 ** 20],
      ['1.5gb', 1.5 * 2 ** 30],
      [16_777_216, 2 ** 24],
      ['8192k', 2 ** 23]
    ])
      expect(convert(project({ mem_limit })).web.resources).to.deep.equal({ limits: { memory } })
  },
  mem_reservation: () => {
    expect(convert(project({ mem_reservation: '64m' })).web.resources).to.deep.equal({
      requests: { memory: 64 * 2 ** 20 }
    })
  },
  pids_limit: () => {
    const { workload } = convert(project({ pids_limit: 9 }, {}, { db: db({ pids_limit: '9' }) }))
    expect(workload.metadata.annotations).to.include({ 'beemesh.io/pids-limit': '9' })
  },
  user: () => {
    expect(convert(project({ user: '1000:100' })).web.securityContext).to.deep.equal({
      runAsUser: 1000,
      runAsGroup: 100
    })
    expect(convert(project({ user: 0 })).web.securityContext).to.deep.equal({ runAsUser: 0 })
  },
  working_dir: () => {
    expect(convert(project({ working_dir: '/srv' })).web.workingDir).to.equal('/srv')
  },
  read_only: () => {
    expect(convert(project({ read_only: true })).web.securityContext).to.deep.equal({
      readOnlyRootFilesystem: true
    })
  },
  cap_add: () => {
    expect(convert(project({ cap_add: ['CAP_CHOWN', 'kill'] })).web.securityContext).to.deep.equal({
      capabilities: { add: ['CHOWN', 'KILL'] }
    })
  },
  cap_drop: () => {
    expect(convert(project({ cap_drop: ['ALL'] })).web.securityContext).to.deep.equal({
      capabilities: { drop: ['ALL'] }
    })
  },
  security_opt: () => {
    for (const option of ['no-new-privileges', 'no-new-privileges:true'])
      expect(convert(project({ security_opt: [option] })).web.securityContext).to.deep.equal({
        allowPrivilegeEscalation: false
      })
    expect(convert(project({ security_opt: ['no-new-privileges:false'] })).web).to.not.have.property(
      'securityContext'
    )
  },
  labels: () => {
    for (const labels of [{ app: 'shop', n: 1, e: null }, ['app=shop', 'n=1', 'e']])
      expect(
        convert(project({ labels }, {}, { db: db({ labels: ['app=shop'] }) })).workload.metadata.labels
      ).to.deep.equal({ app: 'shop', n: '1', e: '' })
  },
  pull_policy: () => {
    const policy = (pull_policy: string) => convert(project({ pull_policy })).web.imagePullPolicy
    expect(['always', 'never', 'missing', 'if_not_present'].map(policy)).to.deep.equal([
      'Always',
      'Never',
      undefined,
      undefined
    ])
  }
}

describe('manifest/compose honoured fields', () => {
  const services = PROJECT_FIELDS.services?.entries ?? {}

  it('are all shown here', () => {
    const honoured = Object.keys(services).filter((name) => services[name]?.support === 'honoured')
    expect(Object.keys(FIELDS)).to.have.members(honoured)
  })

  for (const [name, check] of Object.entries(FIELDS)) it(`makes of ${name} what it says`, check)
})

describe('manifest/compose projects', () => {
  it('are one Pod on the Docker engine, whose services find each other by name', () => {
    const { objects: _, ...manifest } = parseOne(project({ ports: ['8080:80'] }, {}, { db: db() }))
    expect(manifest).to.deep.include({
      kind: 'Pod',
      namespace: 'default',
      name: 'shop',
      replicas: 1,
      engine: 'docker',
      ports: [{ container: 'web', containerPort: 80, protocol: 'TCP', hostPort: 8080 }]
    })
  })

  it('take engine, namespace and annotations from x-beemesh, and ignore other extensions', () => {
    const annotations = { 'beemesh.io/on-node-loss': 'keep' }
    const top = {
      'x-beemesh': { engine: 'podman', namespace: 'team', annotations },
      'x-other': { a: '$B' }
    }
    const manifest = parseOne(project({ 'x-note': 1, volumes: ['data:/a'] }, { ...top, ...volumes }))
    expect(manifest).to.include({ engine: 'podman', namespace: 'team' })
    expect(manifest.objects.map(({ metadata }) => metadata.namespace)).to.deep.equal(['team', 'team'])
    expect(manifest.objects[0]?.metadata.annotations).to.deep.equal({
      'beemesh.io/engine': 'podman',
      ...annotations
    })
    expect(parseManifests(file(project()), { namespace: 'ops' })[0]?.namespace).to.equal('ops')
  })

  it('stand beside Kubernetes documents in one file', () => {
    const manifests = parseManifests(file(pod(), project(), project({}, { name: 'other' })))
    expect(manifests.map(({ name, engine }) => [name, engine])).to.deep.equal([
      ['web', undefined],
      ['shop', 'docker'],
      ['other', 'docker']
    ])
  })

  it('have the same canonical bytes on the node, which never reads Compose', () => {
    const manifest = parseOne(project({ volumes: ['data:/a'] }, volumes))
    const salt = new Uint8Array(32)
    expect(parseCanonical(canonicalBytes(manifest, salt)).manifest).to.deep.equal(manifest)
  })

  it('hand dollars through to the program as they are', () => {
    const manifest = parseOne(
      project({ command: ['$$(A) $$$$ $(A) $1 $'], environment: { A: '$$(B)', B: 'pa$$$$word' } })
    )
    const { pod: made } = toPod(manifest, { workloadId: 'w', ordinal: 0, labels: {}, ports: [] })
    expect(made.spec.containers[0]?.args).to.deep.equal(['$(A) $$ $(A) $1 $'])
    expect(made.spec.containers[0]?.env).to.deep.equal([
      { name: 'A', value: '$(B)' },
      { name: 'B', value: 'pa$$word' }
    ])
  })

  it('keep the name of a claim when volumes change their order', () => {
    const claims = (names: readonly string[]) =>
      parseOne(
        project(
          { volumes: names.map((name) => `${name}:/${name}`) },
          {
            volumes: Object.fromEntries(names.map((name) => [name, null]))
          }
        )
      ).claims.map(({ name }) => name)
    expect(claims(['db_data', 'Web.data'])).to.deep.equal(['shop-db-data', 'shop-web-data'])
    expect(claims(['Web.data', 'db_data'])).to.deep.equal(['shop-db-data', 'shop-web-data'])
    const named = {
      volumes: { data: { name: 'kept', labels: { a: 'b' }, driver: 'local', external: false } }
    }
    expect(parseOne(project({ volumes: ['data:/a'] }, named)).claims[0]?.name).to.equal('kept')
  })

  it('read what `docker compose config` prints', () => {
    const manifest = parseOne(`
name: shop
services:
  db:
    command: null
    entrypoint: null
    environment: { POSTGRES_PASSWORD: x }
    image: postgres:17
    networks: { default: null }
    restart: always
    volumes: [{ type: volume, source: data, target: /var/lib/postgresql/data, volume: {} }]
  web:
    command: null
    entrypoint: null
    depends_on: { db: { condition: service_started, required: true } }
    image: nginx:1.27
    networks: { default: null }
    ports: [{ mode: ingress, target: 80, published: "8080", protocol: tcp }]
    restart: always
networks: { default: { name: shop_default, ipam: {} } }
volumes: { data: { name: shop_data } }`)
    expect(manifest.claims.map(({ name }) => name)).to.deep.equal(['shop-data'])
    expect(manifest.ports).to.have.length(1)
  })
})

import { inspect } from 'node:util'
import { expect } from 'chai'
import { type ComposeField, PROJECT_FIELDS } from '../../../src/manifest/compose/index.ts'
import { joinPath } from '../../../src/manifest/objects/json.ts'
import { parseOne, refuse } from '../fixtures/manifests.ts'
import { db, expectRefusal, type Json, project } from './fixtures.ts'

/** Names of the specification: schema/compose-spec.json of github.com/compose-spec/compose-spec at 170098b. */
const SPECIFIED = {
  project: 'version name include services models networks volumes secrets configs',
  service:
    'develop deploy annotations attach build blkio_config cap_add cap_drop cgroup cgroup_parent command configs container_name cpu_count cpu_percent cpu_shares cpu_quota cpu_period cpu_rt_period cpu_rt_runtime cpus cpuset credential_spec depends_on device_cgroup_rules devices dns dns_opt dns_search domainname entrypoint env_file label_file environment expose extends provider external_links extra_hosts gpus group_add healthcheck hostname image init ipc isolation labels links logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit network_mode models networks oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_stop privileged profiles pull_policy pull_refresh_after read_only restart runtime scale security_opt shm_size secrets sysctls stdin_open stop_grace_period stop_signal storage_opt tmpfs tty ulimits use_api_socket user uts userns_mode volumes volumes_from working_dir',
  healthcheck: 'disable interval retries test timeout start_period start_interval',
  deploy:
    'mode endpoint_mode replicas labels rollback_config update_config resources restart_policy placement'
}

/** Every refused field below a path, with the way there. */
function refusedFields(
  fields: Readonly<Record<string, ComposeField>>,
  path: readonly (string | number)[]
): { readonly path: readonly (string | number)[]; readonly field: ComposeField }[] {
  return Object.entries(fields).flatMap(([name, field]) => [
    ...(field.support === 'refused' ? [{ path: [...path, name], field }] : []),
    ...refusedFields(field.fields ?? {}, [...path, name]),
    ...refusedFields(field.items ?? {}, [...path, name, 0]),
    ...refusedFields(field.entries ?? {}, [...path, name, name === 'services' ? 'web' : 'x'])
  ])
}

function put(root: unknown, [head, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (head === undefined) return value
  if (typeof head === 'number') return [put({}, rest, value)]
  const record = (typeof root === 'object' && root !== null ? root : {}) as Json
  return { ...record, [head]: put(record[head], rest, value) }
}

describe('manifest/compose refused fields', () => {
  const services = PROJECT_FIELDS.services?.entries ?? {}

  it('leave no field of the specification without a word', () => {
    const known = (fields: object | undefined) => Object.keys(fields ?? {})
    expect(known(PROJECT_FIELDS)).to.have.members([...SPECIFIED.project.split(' '), 'x-beemesh'])
    expect(known(services)).to.have.members(SPECIFIED.service.split(' '))
    expect(known(services.healthcheck?.fields)).to.have.members(SPECIFIED.healthcheck.split(' '))
    expect(known(services.deploy?.fields)).to.have.members(SPECIFIED.deploy.split(' '))
  })

  for (const { path, field } of refusedFields(PROJECT_FIELDS, [])) {
    const at = path.reduce<string>(joinPath, '')
    it(`refuse ${at} with the reason, and take what asks for nothing`, () => {
      const error = refuse(put(project(), path, { odd: 'x' }))
      const found = error.violations.find((one) => one.path === at)
      expect(found, error.message).to.deep.include({ rule: 'refused', message: `is refused: ${field.note}` })
      for (const harmless of [null, '', [], {}, ...(field.harmless ?? [])]) {
        const { violations } = ((): { violations: readonly { path: string }[] } => {
          try {
            parseOne(put(project(), path, harmless))
            return { violations: [] }
          } catch (error) {
            return error as { violations: readonly { path: string }[] }
          }
        })()
        expect(violations.map((one) => one.path)).to.not.include(at)
      }
    })
  }

  it('refuse what is no field, and say which was meant', () => {
    const message = expectRefusal(project({ restrat: 'no' }), 'services.web.restrat', 'unknown-field').message
    expect(message).to.include('did you mean restart?')
    expectRefusal(project({}, { service: {} }), 'service', 'unknown-field')
    expectRefusal(project({ deploy: { x: 1 } }), 'services.web.deploy.x', 'unknown-field')
    expectRefusal(
      project({ ports: [{ target: 80, prot: 1 }] }),
      'services.web.ports[0].prot',
      'unknown-field'
    )
    expectRefusal(project({}, { 'x-beemesh': { engin: 'docker' } }), 'x-beemesh.engin', 'unknown-field')
  })
})

/** A variable in braces. */
const braced = (name: string) => `\${${name}}`
const FIELD = 'MANIFEST_UNSUPPORTED_FIELD'
const INVALID = 'MANIFEST_INVALID'
const MISSING = 'MANIFEST_MISSING_REFERENCE'
const networks = { networks: { front: null, back: null } }
const two = (web: Json, other: Json, top: Json = {}) => project(web, top, { db: db(other) })
const contents = {
  configs: { site: { content: 'a' } },
  volumes: { data: null },
  secrets: { pw: { content: 'a' } }
}

const CASES: readonly (readonly [what: string, file: Json, path: string, rule: string, code: string])[] = [
  ['no name', { services: { web: { image: 'a' } } }, 'name', 'required', INVALID],
  ['a name that is no DNS label', project({}, { name: 'my_shop' }), 'name', 'pattern', INVALID],
  ['no service', { name: 'shop', services: {} }, 'services', 'minItems', INVALID],
  ['services that are a list', { name: 'shop', services: [] }, 'services', 'type', INVALID],
  ['a service without fields', project({}, {}, { db: null }), 'services.db', 'type', INVALID],
  [
    'a service name that is no DNS label',
    project({}, {}, { my_db: db() }),
    'services.my_db',
    'pattern',
    INVALID
  ],
  [
    'nine services',
    project({}, {}, Object.fromEntries('abcdefgh'.split('').map((name) => [name, db()]))),
    'services',
    'maxItems',
    INVALID
  ],
  [
    'seventeen services',
    project({}, {}, Object.fromEntries('abcdefghijklmnop'.split('').map((name) => [name, db()]))),
    'services',
    'maxItems',
    INVALID
  ],
  ['no image', project({ image: null }), 'services.web.image', 'required', INVALID],
  ['an image that is none', project({ image: '--x' }), 'services.web.image', 'pattern', INVALID],
  ['build', project({ build: '.' }), 'services.web.build', 'refused', FIELD],
  ['a variable', project({ image: `a:${braced('TAG')}` }), 'services.web.image', 'interpolation', FIELD],
  [
    'a variable without braces',
    project({ command: ['a', '$TAG'] }),
    'services.web.command[1]',
    'interpolation',
    FIELD
  ],
  [
    'a variable with a default',
    project({ user: braced('U:-1') }),
    'services.web.user',
    'interpolation',
    FIELD
  ],
  [
    'a variable from the machine',
    project({ environment: { A: null } }),
    'services.web.environment.A',
    'no-value',
    FIELD
  ],
  ['one in a list', project({ environment: ['A'] }), 'services.web.environment[0]', 'no-value', FIELD],
  [
    'a variable of a bad name',
    project({ environment: ['1A=x'] }),
    'services.web.environment[0]',
    'pattern',
    INVALID
  ],
  [
    'a variable twice',
    project({ environment: ['A=x', 'A=y'] }),
    'services.web.environment[1]',
    'unique',
    INVALID
  ],
  ['a map as a variable', project({ environment: { A: {} } }), 'services.web.environment.A', 'type', INVALID],
  ['a shell in a command', project({ command: 'a | b' }), 'services.web.command', 'shell-words', INVALID],
  ['a number in a command', project({ command: ['a', 1] }), 'services.web.command[1]', 'type', INVALID],
  ['an empty command', project({ command: [] }), 'services.web.command', 'empty', INVALID],
  ['an empty entrypoint alone', project({ entrypoint: [] }), 'services.web.entrypoint', 'empty', INVALID],
  ['a port that is none', project({ ports: ['http'] }), 'services.web.ports[0]', 'port', INVALID],
  ['a port above 65535', project({ ports: ['70000'] }), 'services.web.ports[0]', 'port', FIELD],
  ['a port of sctp', project({ ports: ['80/sctp'] }), 'services.web.ports[0]', 'port', FIELD],
  ['a range of host ports', project({ ports: ['8000-8010:80'] }), 'services.web.ports[0]', 'port', FIELD],
  ['a range without end', project({ ports: ['1-60000'] }), 'services.web.ports[0]', 'port', FIELD],
  ['a port twice', project({ ports: ['1:80', '2:80'] }), 'services.web.ports[1]', 'unique', INVALID],
  [
    'a port of two services',
    two({ ports: ['1:80'] }, { ports: ['2:80'] }),
    'services.db.ports[0]',
    'shared-port',
    FIELD
  ],
  ['a host port twice', project({ ports: ['1:80', '1:81'] }), 'services.web.ports[1]', 'unique', INVALID],
  ['a host address that is none', project({ ports: ['a.b:1:80'] }), 'services.web.ports[0]', 'ip', INVALID],
  ['a port without target', project({ ports: [{}] }), 'services.web.ports[0].target', 'required', INVALID],
  ['a bind mount', project({ volumes: ['./a:/b'] }), 'services.web.volumes[0]', 'refused', FIELD],
  [
    'a bind mount of the host',
    project({ volumes: ['/a:/b:ro'] }),
    'services.web.volumes[0]',
    'refused',
    FIELD
  ],
  ['a bind mount of the home', project({ volumes: ['~/a:/b'] }), 'services.web.volumes[0]', 'refused', FIELD],
  [
    'a bind mount of Windows',
    project({ volumes: ['C:\\a:/b'] }),
    'services.web.volumes[0]',
    'refused',
    FIELD
  ],
  [
    'a long bind mount',
    project({ volumes: [{ type: 'bind', source: '/a', target: '/b' }] }),
    'services.web.volumes[0]',
    'refused',
    FIELD
  ],
  [
    'a pipe',
    project({ volumes: [{ type: 'npipe', target: '/b' }] }),
    'services.web.volumes[0].type',
    'refused',
    FIELD
  ],
  [
    'a volume that is not there',
    project({ volumes: ['a:/b'] }),
    'services.web.volumes[0]',
    'reference',
    MISSING
  ],
  [
    'a relabelled volume',
    project({ volumes: ['data:/b:z'] }, { volumes: contents.volumes }),
    'services.web.volumes[0]',
    'refused',
    FIELD
  ],
  [
    'a mount at the root',
    project({ volumes: ['data:/'] }, { volumes: contents.volumes }),
    'services.web.volumes[0]',
    'path',
    INVALID
  ],
  [
    'two mounts at one place',
    project({ volumes: ['/a'], tmpfs: '/a' }),
    'services.web.tmpfs',
    'unique',
    INVALID
  ],
  ['a mode of a tmpfs', project({ tmpfs: '/a:mode=700' }), 'services.web.tmpfs', 'refused', FIELD],
  ['a volume nobody uses', project({}, { volumes: contents.volumes }), 'volumes.data', 'unused', INVALID],
  [
    'two volumes of one claim',
    project({ volumes: ['a_b:/a', 'a-b:/b'] }, { volumes: { a_b: null, 'a-b': null } }),
    'volumes.a-b',
    'unique',
    INVALID
  ],
  ['a config nobody uses', project({}, { configs: contents.configs }), 'configs.site', 'unused', INVALID],
  [
    'a config at the root',
    project({ configs: ['site'] }, { configs: contents.configs }),
    'services.web.configs[0]',
    'target',
    FIELD
  ],
  [
    'a config among others',
    project({ configs: [{ source: 'site', target: '/etc/site' }] }, { configs: contents.configs }),
    'services.web.configs[0].target',
    'target',
    FIELD
  ],
  [
    'a config that is not there',
    project({ configs: ['x'] }),
    'services.web.configs[0]',
    'reference',
    MISSING
  ],
  [
    'a config without content',
    project({ configs: [{ source: 'a', target: '/etc/a/b' }] }, { configs: { a: {} } }),
    'configs.a.content',
    'required',
    INVALID
  ],
  [
    'a mode that is none',
    project({ secrets: [{ source: 'pw', mode: '0999' }] }, { secrets: contents.secrets }),
    'services.web.secrets[0].mode',
    'mode',
    INVALID
  ],
  [
    'a secret of a file',
    project({ secrets: ['pw'] }, { secrets: { pw: { file: './pw' } } }),
    'secrets.pw.file',
    'refused',
    FIELD
  ],
  [
    'an external secret',
    project({ secrets: ['pw'] }, { secrets: { pw: { external: true } } }),
    'secrets.pw.external',
    'refused',
    FIELD
  ],
  [
    'restarts that differ',
    two({ restart: 'always' }, { restart: 'on-failure' }),
    'services.db.restart',
    'refused',
    FIELD
  ],
  ['a restart at one service', two({ restart: 'always' }, {}), 'services.db.restart', 'refused', FIELD],
  [
    'restarts that are counted',
    project({ restart: 'on-failure:3' }),
    'services.web.restart',
    'refused',
    FIELD
  ],
  ['a restart that is none', project({ restart: 'sometimes' }), 'services.web.restart', 'choice', INVALID],
  [
    'a condition that is none',
    project({ deploy: { restart_policy: { condition: 'x' } } }),
    'services.web.deploy.restart_policy.condition',
    'choice',
    INVALID
  ],
  ['limits of processes that differ', two({ pids_limit: 5 }, {}), 'services.db.pids_limit', 'refused', FIELD],
  ['no limit of processes', project({ pids_limit: -1 }), 'services.web.pids_limit', 'refused', FIELD],
  ['too many processes', project({ pids_limit: 99999 }), 'services.web.pids_limit', 'pattern', INVALID],
  ['two replicas', project({ deploy: { replicas: 2 } }), 'services.web.deploy.replicas', 'refused', FIELD],
  ['a limit that is none', project({ cpus: 'many' }), 'services.web.cpus', 'quantity', INVALID],
  ['a limit that is too small', project({ mem_limit: '1m' }), 'services.web.mem_limit', 'minimum', INVALID],
  ['a size that is none', project({ mem_limit: '1 potato' }), 'services.web.mem_limit', 'type', INVALID],
  [
    'a limit twice',
    project({ cpus: 1, deploy: { resources: { limits: { cpus: 1 } } } }),
    'services.web.deploy.resources.limits.cpus',
    'unique',
    INVALID
  ],
  [
    'a reservation above the limit',
    project({ mem_limit: '64m', mem_reservation: '65m' }),
    'services.web.mem_reservation',
    'maximum',
    INVALID
  ],
  ['a user by name', project({ user: 'node' }), 'services.web.user', 'refused', FIELD],
  ['a user out of range', project({ user: '4294967295' }), 'services.web.user', 'maximum', INVALID],
  ['a relative directory', project({ working_dir: 'a' }), 'services.web.working_dir', 'pattern', INVALID],
  ['a capability', project({ cap_add: ['CHOWN', 'SYS_ADMIN'] }), 'services.web.cap_add[1]', 'refused', FIELD],
  ['privileged', project({ privileged: true }), 'services.web.privileged', 'refused', FIELD],
  [
    'another profile',
    project({ security_opt: ['seccomp:unconfined'] }),
    'services.web.security_opt[0]',
    'refused',
    FIELD
  ],
  ['a flag that is none', project({ read_only: 'yes' }), 'services.web.read_only', 'type', INVALID],
  [
    'a test of no kind',
    project({ healthcheck: { test: ['curl', 'x'] } }),
    'services.web.healthcheck.test',
    'choice',
    INVALID
  ],
  [
    'a check without test',
    project({ healthcheck: { interval: '1s' } }),
    'services.web.healthcheck',
    'required',
    INVALID
  ],
  [
    'an interval that is none',
    project({ healthcheck: { test: 'a', interval: '5' } }),
    'services.web.healthcheck.interval',
    'type',
    INVALID
  ],
  [
    'too many retries',
    project({ healthcheck: { test: 'a', retries: 99999 } }),
    'services.web.healthcheck.retries',
    'maximum',
    INVALID
  ],
  [
    'too long a grace',
    project({ stop_grace_period: '2h' }),
    'services.web.stop_grace_period',
    'maximum',
    INVALID
  ],
  [
    'host names that differ',
    two({ hostname: 'a' }, { hostname: 'b' }),
    'services.db.hostname',
    'refused',
    FIELD
  ],
  ['a host name that is none', project({ hostname: 'a_b' }), 'services.web.hostname', 'pattern', INVALID],
  [
    'a container name that is no host name',
    project({ container_name: 'a_b' }),
    'services.web.container_name',
    'pattern',
    INVALID
  ],
  [
    'the gateway of the host',
    project({ extra_hosts: ['a:host-gateway'] }),
    'services.web.extra_hosts[0]',
    'refused',
    FIELD
  ],
  [
    'a host without address',
    project({ extra_hosts: { a: 'b' } }),
    'services.web.extra_hosts.a',
    'ip',
    INVALID
  ],
  [
    'a host that is a service',
    project({ extra_hosts: ['web=10.0.0.1'] }),
    'services.web.extra_hosts[0]',
    'unique',
    INVALID
  ],
  [
    'a host at two addresses',
    two({ extra_hosts: ['a=10.0.0.1'] }, { extra_hosts: ['a=10.0.0.2'] }),
    'services.db.extra_hosts[0]',
    'refused',
    FIELD
  ],
  [
    'labels that differ',
    two({ labels: { a: 'b' } }, { labels: { a: 'c' } }),
    'services.db.labels.a',
    'refused',
    FIELD
  ],
  [
    'a label that Kubernetes does not take',
    project({ labels: ['a=b c'] }),
    'services.web.labels[0]',
    'pattern',
    INVALID
  ],
  [
    'a label of the engine',
    project({ labels: { 'com.docker.x': 'a' } }),
    'services.web.labels["com.docker.x"]',
    'reserved',
    FIELD
  ],
  [
    'a pull policy that builds',
    project({ pull_policy: 'build' }),
    'services.web.pull_policy',
    'refused',
    FIELD
  ],
  [
    'networks that keep apart',
    two({ networks: ['front'] }, { networks: ['back'] }, networks),
    'services.db.networks',
    'refused',
    FIELD
  ],
  [
    'a network beside the default one',
    two({ networks: ['front'] }, {}, { networks: { front: null } }),
    'services.db.networks',
    'refused',
    FIELD
  ],
  [
    'a network that is not there',
    project({ networks: ['front'] }),
    'services.web.networks[0]',
    'reference',
    MISSING
  ],
  ['a network nobody uses', project({}, networks), 'networks.front', 'unused', INVALID],
  [
    'an internal network',
    project({ networks: ['front'] }, { networks: { front: { internal: true } } }),
    'networks.front.internal',
    'refused',
    FIELD
  ],
  [
    'a dependency on nobody',
    project({ depends_on: ['x'] }),
    'services.web.depends_on[0]',
    'reference',
    MISSING
  ],
  [
    'a dependency on oneself',
    project({ depends_on: ['web'] }),
    'services.web.depends_on[0]',
    'cycle',
    INVALID
  ],
  [
    'dependencies that go round',
    two({ depends_on: ['db'] }, { depends_on: { web: {} } }),
    'services.db.depends_on.web',
    'cycle',
    INVALID
  ],
  [
    'a condition nobody knows',
    two({ depends_on: { db: { condition: 'x' } } }, {}),
    'services.web.depends_on.db.condition',
    'choice',
    INVALID
  ],
  [
    'health without restarts',
    two({ depends_on: { db: { condition: 'service_healthy' } } }, {}),
    'services.web.depends_on.db',
    'refused',
    FIELD
  ],
  [
    'a first service that needs one that stays',
    project(
      { depends_on: { setup: { condition: 'service_completed_successfully' } } },
      {},
      { db: db(), setup: db({ depends_on: ['db'] }) }
    ),
    'services.setup.depends_on[0]',
    'refused',
    FIELD
  ],
  [
    'a first service with ports',
    two({ depends_on: { db: { condition: 'service_completed_successfully' } } }, { ports: ['80'] }),
    'services.db.ports',
    'refused',
    FIELD
  ],
  [
    'a first service with a check',
    two(
      { depends_on: { db: { condition: 'service_completed_successfully' } } },
      { healthcheck: { test: 'a' } }
    ),
    'services.db.healthcheck',
    'refused',
    FIELD
  ],
  [
    'a first service that restarts',
    two({ depends_on: { db: { condition: 'service_completed_successfully' } } }, { restart: 'always' }),
    'services.db.restart',
    'refused',
    FIELD
  ],
  [
    'an engine that is no name',
    project({}, { 'x-beemesh': { engine: 'Dock er' } }),
    'x-beemesh.engine',
    'pattern',
    INVALID
  ],
  [
    'a namespace that is none',
    project({}, { 'x-beemesh': { namespace: 'A' } }),
    'x-beemesh.namespace',
    'pattern',
    INVALID
  ],
  [
    'an annotation of others',
    project({}, { 'x-beemesh': { annotations: { a: 'b' } } }),
    'x-beemesh.annotations.a',
    'choice',
    INVALID
  ],
  [
    'an annotation of nobody',
    project({}, { 'x-beemesh': { annotations: { 'beemesh.io/x': 'b' } } }),
    'x-beemesh.annotations["beemesh.io/x"]',
    'reserved',
    FIELD
  ],
  [
    'the engine as an annotation',
    project({}, { 'x-beemesh': { annotations: { 'beemesh.io/engine': 'a' } } }),
    'x-beemesh.annotations["beemesh.io/engine"]',
    'unique',
    INVALID
  ]
]

describe('manifest/compose refusals', () => {
  for (const path of ['deploy', 'deploy.resources', 'healthcheck', 'networks.x', 'depends_on.x'])
    it(`refuse text where ${path} is a mapping`, () => {
      const at = ['services', 'web', ...path.split('.')]
      const found = refuse(put(project(), at, 'x')).violations.find((one) => one.path === at.join('.'))
      expect(found?.rule).to.equal('type')
    })

  it('refuse text where the top of the file has mappings', () => {
    for (const name of ['volumes', 'configs', 'secrets', 'networks']) {
      const paths = refuse(project({}, { [name]: { a: 'x' } })).violations.map(
        ({ path, rule }) => `${path} ${rule}`
      )
      expect(paths).to.include(`${name}.a type`)
    }
    expectRefusal(project({}, { 'x-beemesh': 'podman' }), 'x-beemesh', 'type', 'MANIFEST_INVALID')
  })

  for (const [what, file, path, rule, code] of CASES)
    it(`refuse ${what} at ${path}`, () => {
      expectRefusal(file, path, rule, code as typeof FIELD)
    })

  it('come all at once, each at its own place', () => {
    const error = refuse(
      two({ build: '.', ports: ['x'], cpus: 'y' }, { image: '--z', cap_add: ['SYS_ADMIN'] }, { nmae: 'shop' })
    )
    expect(error.violations.map(({ path }) => path)).to.have.members([
      'services.web.build',
      'services.web.ports[0]',
      'services.web.cpus',
      'services.db.image',
      'services.db.cap_add[0]',
      'nmae'
    ])
  })

  it('do not name the objects that are made of the file', () => {
    const shown = refuse(project({ cpus: 'many', environment: ['1=x'] })).message
    expect(shown).to.include('document 1: services.web.cpus')
    expect(shown).to.not.match(/Pod|spec\.|containers/)
  })

  it('refuse a Kubernetes object that has services, as it is none', () => {
    expect(refuse({ ...project(), kind: 'Project' }).code).to.equal('MANIFEST_UNSUPPORTED_KIND')
    expect(refuse({ ...project(), apiVersion: 'v1' }).code).to.equal('MANIFEST_UNSUPPORTED_KIND')
  })

  const password = 'hunter2-hunter2'
  const secrets: readonly (readonly [what: string, file: Json])[] = [
    ['a variable in it', project({ environment: { A: `${password}$x` } })],
    ['a bad name beside it', project({ environment: [`1=${password}`] })],
    ['a list around it', project({ environment: { A: [password] } })],
    ['no name before it', project({ environment: [`=${password}`] })],
    ['a list of lists', project({ environment: [[password]] })],
    ['no equals sign', project({ environment: [password] })],
    ['an unknown field beside it', project({}, { secrets: { a: { contnet: password } } })],
    ['a list as content', project({ secrets: ['a'] }, { secrets: { a: { content: [password] } } })],
    ['nobody to use it', project({}, { secrets: { a: { content: password } } })],
    ['a bad key', project({ secrets: ['a/b'] }, { secrets: { 'a/b': { content: password } } })],
    [
      'a variable in the content',
      project({ configs: ['a'] }, { configs: { a: { content: `${password}$x` } } })
    ],
    ['a quote in a command', project({ command: `a ${password} "` })],
    ['a quote in a test', project({ healthcheck: { test: [password] } })],
    [
      'too many variables',
      project({ environment: Array.from({ length: 300 }, (_, n) => `A${n}=${password}`) })
    ]
  ]
  for (const [what, file] of secrets)
    it(`keep a password out of the error for ${what}`, () => {
      const error = refuse(file)
      expect(
        `${inspect(error, { depth: 20, showHidden: true })}${error.stack}${JSON.stringify(error)}`
      ).to.not.include('hunter2')
    })
})

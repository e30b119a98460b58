import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  CONFIG_SCHEMA,
  ConfigError,
  type ConfigInput,
  loadConfig,
  statedLabels,
  toName
} from '../../src/config/index.ts'

describe('config: loading', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bmc-'))
  })
  after(() => rm(folder, { recursive: true }))

  const fileOf = async (text: string) => {
    const path = join(folder, 'config.yaml')
    await writeFile(path, text)
    return path
  }
  const load = async (text: string | undefined, env: NodeJS.ProcessEnv = {}, flags: ConfigInput = {}) =>
    loadConfig({ file: text === undefined ? undefined : await fileOf(text), env, flags })
  const refuse = async (...args: Parameters<typeof load>): Promise<ConfigError> => {
    const error = await load(...args).then(
      () => undefined,
      (thrown: unknown) => thrown
    )
    expect(error).to.be.instanceOf(ConfigError)
    return error as ConfigError
  }

  it('fills in every default from the schema', async () => {
    const config = (await load(undefined, { XDG_CONFIG_HOME: '/cfg' })) as unknown as Record<string, unknown>
    for (const [key, schema] of Object.entries(CONFIG_SCHEMA.properties))
      if ('default' in schema) expect(config[key], key).to.deep.equal(schema.default)
    expect(config).to.include({ identity: '/cfg/beemesh/identity', networkKey: '/cfg/beemesh/network.key' })
  })

  it('file gives way to the environment, which gives way to flags', async () => {
    const text = 'name: from-file\nportFirst: 20001\nengine: mock\n'
    const env = { BEEMESH_NAME: 'from-env', BEEMESH_PORT_FIRST: '20002' }
    const config = await load(text, env, { name: 'from-flag' })
    expect(config).to.include({ name: 'from-flag', portFirst: 20_002, engine: 'mock' })
  })

  it('every key can be given by its variable', async () => {
    const samples: Record<string, [string, unknown]> = {
      string: ['', undefined],
      array: ['/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2', ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2']],
      object: ['zone=a,disk=ssd', { zone: 'a', disk: 'ssd' }],
      boolean: ['false', false]
    }
    for (const key of ['listen', 'labels', 'scheduling']) {
      const { type, 'x-env': variable } = CONFIG_SCHEMA.properties[key]!
      const [text, value] = samples[type]!
      const config = (await load(undefined, { [variable!]: text })) as unknown as Record<string, unknown>
      expect(config[key], key).to.deep.equal(value)
    }
    for (const [key, { 'x-env': variable }] of Object.entries(CONFIG_SCHEMA.properties))
      expect(variable, key).to.match(/^BEEMESH_[A-Z_]+$/)
  })

  it('an empty variable is none', async () => {
    expect(await load('name: from-file', { BEEMESH_NAME: '' })).to.include({ name: 'from-file' })
  })

  it('refuses a value of the wrong kind with the key and where it came from', async () => {
    const fromFile = await refuse('portFirst: many')
    expect(fromFile.code).to.equal('CONFIG_INVALID')
    expect(fromFile.message).to.include('portFirst').and.to.include('config.yaml')
    const fromEnv = await refuse(undefined, { BEEMESH_SCHEDULING: 'perhaps' })
    expect(fromEnv.message).to.include('scheduling').and.to.include('the environment')
    const fromFlags = await refuse(undefined, {}, { name: 'Not A Name' })
    expect(fromFlags.message).to.include('name').and.to.include('the command line')
  })

  it('refuses labels that do not fit into what the node says of itself, by bytes and not by letters', async () => {
    const some = (count: number, value: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${index}`, value]))
    const many = some(32, 'x'.repeat(50))
    expect((await load(undefined, {}, { labels: many })).labels).to.deep.equal(many)
    for (const labels of [
      some(32, 'x'.repeat(200)),
      some(1, 'ä'.repeat(129)),
      { ['k'.repeat(321)]: 'v' },
      { '': 'v' }
    ]) {
      const { code, message } = await refuse(undefined, {}, { labels })
      expect(code).to.equal('CONFIG_INVALID')
      expect(message).to.include('labels')
    }
  })

  it('states taints as labels, and refuses what is no taint or says a key twice', async () => {
    const config = await load(undefined, { BEEMESH_TAINTS: 'gpu:NoSchedule, disk=slow:PreferNoSchedule' })
    expect(statedLabels({ ...config, labels: { zone: 'a' } })).to.deep.equal({
      zone: 'a',
      'taint.beemesh.io/gpu': ':NoSchedule',
      'taint.beemesh.io/disk': 'slow:PreferNoSchedule'
    })
    for (const taints of [['gpu'], ['gpu:Never'], ['=x:NoSchedule'], ['a:NoSchedule', 'a=b:NoExecute']])
      expect((await refuse(undefined, {}, { taints })).message).to.include('taints')
    const labels = { 'taint.beemesh.io/gpu': ':NoSchedule' }
    expect((await refuse(undefined, {}, { labels })).message).to.include('is a taint')
  })

  it('refuses a key it does not know', async () => {
    expect((await refuse('nmae: x')).message).to.include('nmae')
  })

  it('refuses what is neither YAML nor JSON, has aliases, is too large, or is not there', async () => {
    expect((await refuse('name: [')).code).to.equal('CONFIG_INVALID')
    expect((await refuse('name: &a x\nengine: *a')).code).to.equal('CONFIG_INVALID')
    expect((await refuse(`# ${'x'.repeat(300_000)}`)).code).to.equal('CONFIG_INVALID')
    expect((await refuse('name: a\n---\nname: b')).message).to.include('2 documents')
    expect((await refuse('- a list')).code).to.equal('CONFIG_INVALID')
    const error = await loadConfig({ file: join(folder, 'nowhere'), env: {} }).catch(
      (thrown: ConfigError) => thrown
    )
    expect(error).to.include({ code: 'CONFIG_UNREADABLE' })
  })

  it('reads JSON as well, and an empty file as nothing', async () => {
    expect(await load('{"name":"json"}')).to.include({ name: 'json' })
    for (const nothing of ['', '# nothing yet\n', '---\n'])
      expect(await load(nothing)).to.include({ engine: 'auto' })
  })

  it('takes the network of the strongest level that names one', async () => {
    const config = await load('networkKey: /some/key', {}, { network: 'open' })
    expect(config.network).to.equal('open')
    expect(config.networkKey).to.equal(undefined)
    const other = await load('network: open', { BEEMESH_NETWORK_KEY: '/some/key' })
    expect(other).to.include({ networkKey: '/some/key' })
    expect(other.network).to.equal(undefined)
    expect((await refuse('network: open\nnetworkKey: /some/key')).code).to.equal('CONFIG_INVALID')
  })

  it('publishes ports on loopback while the node listens on loopback, else everywhere, unless told', async () => {
    expect(await load(undefined)).to.include({ publishAddress: '127.0.0.1' })
    expect(await load('listen: ["/ip4/0.0.0.0/tcp/4001"]')).to.include({ publishAddress: '0.0.0.0' })
    const told = await load('listen: ["/ip4/0.0.0.0/tcp/4001"]\npublishAddress: 10.0.0.1')
    expect(told).to.include({ publishAddress: '10.0.0.1' })
  })

  it('looks for nobody and is found by nobody while the node listens on loopback, whatever it is told', async () => {
    const asked = 'mdns: true\nupnp: true\nautonat: true\nholePunching: true'
    const silent = { mdns: false, upnp: false, autonat: false, holePunching: false }
    for (const listen of ['[]', '["/ip4/127.0.0.1/tcp/4001", "/ip6/::1/tcp/4001"]'])
      expect(await load(`listen: ${listen}\n${asked}`)).to.include({ ...silent, relay: 'off' })
    expect(await load('relay: use')).to.include({ ...silent, relay: 'use' })
  })

  it('is reached through relays and found on the LAN once it listens beyond loopback, unless told otherwise', async () => {
    const outside = 'listen: ["/ip4/127.0.0.1/tcp/4001", "/ip4/0.0.0.0/tcp/4001"]'
    const open = { relay: 'use', mdns: true, upnp: false, autonat: true, holePunching: true }
    expect(await load(outside)).to.include(open)
    const closed = { relay: 'off', mdns: false, autonat: false, holePunching: false } as const
    expect(await load(outside, {}, closed)).to.include(closed)
    expect(await load(outside, { BEEMESH_UPNP: 'true', BEEMESH_RELAY: 'serve' })).to.include({
      upnp: true,
      relay: 'serve'
    })
  })

  it('makes a bootstrap node relay and take no workloads', async () => {
    expect(await load('role: bootstrap')).to.include({ role: 'bootstrap', relay: 'serve', scheduling: false })
    expect(await load('role: bootstrap\nrelay: "off"')).to.include({ relay: 'off' })
    expect((await refuse('role: bootstrap\nscheduling: true')).message).to.include('scheduling')
    expect((await refuse('role: leader')).message).to.include('node, bootstrap')
  })

  it('takes a sandbox policy by preset or with overrides, for own and others apart', async () => {
    expect((await load(undefined)).policy).to.deep.equal({ own: 'open', others: 'strict' })
    expect((await load('policy: { others: baseline }')).policy).to.deep.equal({
      own: 'open',
      others: 'baseline'
    })
    const fromEnv = await load('policy: { others: baseline }', { BEEMESH_POLICY: 'own=baseline,others=open' })
    expect(fromEnv.policy).to.deep.equal({ own: 'baseline', others: 'open' })
    const others = { preset: 'strict', overrides: { registries: ['registry.example/team/', 'r:5000/a'] } }
    expect((await load(JSON.stringify({ policy: { others } }))).policy.others).to.deep.equal(others)
  })

  it('refuses a sandbox policy it does not know, with the key and nothing else', async () => {
    const message = async (policy: object) => (await refuse(JSON.stringify({ policy }))).message
    expect(await message({ others: 'lax' })).to.match(
      /: policy\.others must be equal to one of the allowed values \(open, baseline, strict\)$/
    )
    expect(await message({ guests: 'strict' })).to.include('unknown key guests')
    expect(await message({ own: { overrides: {} } })).to.include(
      "policy.own must have required property 'preset'"
    )
    const strict = (overrides: object) => message({ others: { preset: 'strict', overrides } })
    expect(await strict({ roots: false })).to.include('unknown key roots')
    expect(await strict({ defaultLimits: { memoryBytes: 1 } })).to.include('defaultLimits.memoryBytes')
    for (const prefix of ['nginx', 'team/app', 'Registry.example', 'https://registry.example', 'a.b/c:1', ''])
      expect(await strict({ registries: [prefix] }), prefix).to.include('registries.0')
  })

  it('refuses a file that holds anything but keys with values', async () => {
    for (const text of ['[]', '42', '""', 'false'])
      expect((await refuse(text)).message, text).to.match(/: the whole must be object$/)
  })

  it('refuses a port range whose end is before its start', async () => {
    expect((await refuse('portFirst: 30000\nportLast: 29999')).message).to.include('30000')
  })

  it('makes a name others can type from any host name', () => {
    expect(toName('Kestrel.local')).to.equal('kestrel')
    expect(toName('My Laptop_2')).to.equal('my-laptop-2')
    expect(toName('--')).to.equal('node')
    expect(toName('x'.repeat(80))).to.have.length(63)
  })
})

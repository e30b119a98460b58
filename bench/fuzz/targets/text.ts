/** What people write, and what a node reads of it again after it was decrypted. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import canonicalize from 'canonicalize'
import { CORE_SCHEMA, load, loadAll } from 'js-yaml'
import { utf8 } from '../../../src/common/index.ts'
import { CONFIG_SCHEMA, loadConfig } from '../../../src/config/index.ts'
import { publicKeyFromPeerId } from '../../../src/identity/index.ts'
import {
  canonicalBytes,
  checkPolicy,
  limitsOf,
  type Manifest,
  POLICY_PRESETS,
  parseCanonical,
  parseManifestId,
  parseManifests,
  probesOf,
  resolvePolicy,
  toPod,
  withDefaultLimits
} from '../../../src/manifest/index.ts'
import { policyFor } from '../../../src/node/policy.ts'
import { readOwners } from '../../../src/trust/index.ts'
import { OWNER, STRANGER } from '../../../test/envelope/fixtures.ts'
import type { Target } from '../types.ts'

const KIB = 1024
const salt = new Uint8Array(32)
const decoder = new TextDecoder()
const folderOf = (path: string) => new URL(`../../../${path}/`, import.meta.url)

const realWorld = readdirSync(folderOf('test/manifest/fixtures/real-world')).map((name) =>
  readFileSync(new URL(name, folderOf('test/manifest/fixtures/real-world')))
)
const compose = [
  readFileSync(new URL('compose.yaml', folderOf('examples/compose'))),
  utf8(
    [
      'name: shop',
      'services:',
      '  web:',
      '    image: localhost/web:1',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Compose's own variables
      '    command: ["sh", "-c", "echo $${HOME} ${NAME:-x}"]',
      '    environment: { A: "1", B: }',
      '    ports: ["127.0.0.1:8080:80/tcp", { target: 81, published: "9000-9001" }]',
      '    volumes: ["data:/data:ro", { type: tmpfs, target: /tmp }]',
      '    healthcheck: { test: curl -f "http://localhost", interval: 1m30s, retries: 3 }',
      '    deploy: { replicas: 1, resources: { limits: { cpus: "0.5", memory: 64M, pids: 9 } } }',
      '    depends_on: { db: { condition: service_started } }',
      '    networks: [default]',
      '  db: { image: "localhost/db:1", user: "1000:1000", cap_add: [NET_BIND_SERVICE], secrets: [key] }',
      'volumes: { data: {} }',
      'secrets: { key: { content: s } }',
      'networks: { default: {} }',
      ''
    ].join('\n')
  )
]
const manifests = realWorld.flatMap((bytes) => {
  try {
    return parseManifests(decoder.decode(bytes))
  } catch {
    return [] // some of these are there to be refused
  }
})
const policies = POLICY_PRESETS.map((preset) => resolvePolicy(preset))
const configFiles = [
  'dataDir: /tmp/x\nname: kestrel\nlisten: [/ip4/0.0.0.0/tcp/4001]\nlabels: { zone: attic }\nowners: []\nportFirst: 1000\nportLast: 2000\n',
  '{"network":"home","bootstrap":["/ip4/192.0.2.7/tcp/1/p2p/12D3KooW"],"exec":true,"logLevel":"warn","relay":"serve"}',
  'policy:\n  own: open\n  others:\n    preset: strict\n    overrides:\n      registries: [registry.example/team/]\n      maxPerContainer: { cpuMillis: 2000, pids: 1024 }\n      maxPerManifest: { copies: 4 }\n      addCapabilities: [CHOWN]\n'
].map(utf8)

/** Everything that is done with a manifest before an engine gets it. */
function prepare(manifest: Manifest): unknown {
  const { manifest: again } = parseCanonical(canonicalBytes(manifest, salt))
  const violations = policies.map((policy) => {
    const bounded = withDefaultLimits(again, limitsOf(policy))
    probesOf(bounded)
    toPod(bounded, { workloadId: 'w', ordinal: 0, labels: {}, ports: [], claimPrefix: 'c', completion: 0 })
    return checkPolicy(again, policy)
  })
  return { again, violations }
}

const parse = (bytes: Uint8Array) => parseManifests(decoder.decode(bytes)).map(prepare)

/** Files of this run; gone with the process. */
const folder = mkdtempSync(join(tmpdir(), 'bmf-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

async function loadFile(bytes: Uint8Array): Promise<unknown> {
  const file = join(folder, 'beemesh.yaml')
  writeFileSync(file, bytes)
  const config = await loadConfig({ file, env: {} })
  const policy = policyFor(config, new Set([OWNER.peerId]))
  const asked = [OWNER, STRANGER].map(({ peerId }) => checkPolicy(manifests[0]!, policy(peerId)))
  return { config, asked }
}

const VARIABLES = Object.values(CONFIG_SCHEMA.properties).flatMap(({ 'x-env': name }) => name ?? [])

/** One `NAME=value` a line, as the environment of a process. */
async function loadEnvironment(bytes: Uint8Array): Promise<unknown> {
  const lines = decoder.decode(bytes).split('\n')
  const env = Object.fromEntries(lines.map((line, at) => [VARIABLES[at % VARIABLES.length]!, line]))
  const config = await loadConfig({ env })
  return { config, policy: policyFor(config, new Set())('somebody') }
}

function loadOwners(bytes: Uint8Array): Promise<unknown> {
  const file = join(folder, 'owners')
  writeFileSync(file, bytes)
  return readOwners(file)
}

const environment = VARIABLES.map((name) =>
  name === 'BEEMESH_POLICY' ? 'own=baseline,others=strict' : name === 'BEEMESH_LABELS' ? 'a=b,c=d' : ''
)
const peerIds = [OWNER.peerId, STRANGER.peerId, 'k51qzi5uqu5dh9jhgjfghjdfgjh', 'bafzaajaiaejc']
const ids = ['bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy', ...peerIds].map(utf8)

/** The same as JSON, one document each, to be changed as trees. */
const documents = [...realWorld, ...compose].flatMap((bytes) => {
  try {
    return [loadAll(decoder.decode(bytes), { schema: CORE_SCHEMA })]
  } catch {
    return [] // the template of a chart
  }
})
const composeTree = compose.map((bytes) => utf8(JSON.stringify(load(decoder.decode(bytes)))))
const configTree = configFiles.map((bytes) => utf8(JSON.stringify(load(decoder.decode(bytes)))))
const list = (items: unknown) => utf8(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
const canonical = manifests.map((manifest) => canonicalBytes(manifest, salt))

export const TEXT_TARGETS: readonly Target[] = [
  { name: 'manifest', form: 'text', maxBytes: 256 * KIB, share: 2, seeds: realWorld, feed: parse },
  { name: 'compose', form: 'text', maxBytes: 256 * KIB, share: 2, seeds: compose, feed: parse },
  {
    name: 'canonical',
    form: 'text',
    maxBytes: 64 * KIB,
    share: 2,
    seeds: canonical,
    feed: (bytes) => prepare(parseCanonical(bytes).manifest)
  },
  {
    name: 'canonical-tree',
    form: 'json',
    maxBytes: 64 * KIB,
    seeds: canonical,
    // in the order the reader wants, so that only what it says is wrong
    feed: (bytes) =>
      prepare(parseCanonical(utf8(canonicalize(JSON.parse(decoder.decode(bytes))) ?? '')).manifest)
  },
  { name: 'manifest-tree', form: 'json', maxBytes: 256 * KIB, seeds: documents.map(list), feed: parse },
  { name: 'compose-tree', form: 'json', maxBytes: 256 * KIB, seeds: composeTree, feed: parse },
  { name: 'config-tree', form: 'json', maxBytes: 64 * KIB, seeds: configTree, feed: loadFile },
  { name: 'config-file', form: 'text', maxBytes: 64 * KIB, share: 2, seeds: configFiles, feed: loadFile },
  {
    name: 'config-environment',
    form: 'text',
    maxBytes: 64 * KIB,
    share: 2,
    seeds: [utf8(environment.join('\n')), utf8(VARIABLES.join('\n'))],
    feed: loadEnvironment
  },
  {
    name: 'owners-file',
    form: 'text',
    maxBytes: 64 * KIB,
    share: 2,
    seeds: [utf8(`# comment\n${OWNER.peerId}\n${STRANGER.peerId} # another\n`)],
    feed: loadOwners
  },
  {
    name: 'peer-id',
    form: 'text',
    maxBytes: 2 * KIB,
    seeds: ids,
    feed: (bytes) => publicKeyFromPeerId(decoder.decode(bytes))
  },
  {
    name: 'manifest-id',
    form: 'text',
    maxBytes: 2 * KIB,
    seeds: ids,
    feed: (bytes) => parseManifestId(decoder.decode(bytes))
  }
]

import { inspect } from 'node:util'
import { expect } from 'chai'
import type { Client } from '../../src/client/index.ts'
import { generateSigningKey } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { createLogger } from '../../src/telemetry/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { pod, toYaml } from '../fixtures/workload-files.ts'

const MARKER = 'hunter2-marker'
const FORMS = [
  MARKER,
  Buffer.from(MARKER).toString('base64').slice(0, 16),
  Buffer.from(MARKER).toString('hex')
]

/** A Secret and a Pod with the marker wherever somebody may write something. */
function marked(name: string): string {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys' },
    stringData: { password: MARKER }
  }
  const container = {
    name: 'main',
    image: `localhost/${MARKER}:1`,
    command: ['sh', '-c', `echo ${MARKER}`],
    env: [
      { name: 'PLAIN', value: MARKER },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'keys', key: 'password' } } }
    ]
  }
  const { metadata } = pod({ name }) as { metadata: object }
  const annotated = { ...metadata, annotations: { note: MARKER } }
  return toYaml(secret, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: annotated,
    spec: { containers: [container] }
  })
}

const guest = generateSigningKey()

describe('audit: logs carry no contents', function () {
  this.timeout(60_000)
  let mesh: Mesh
  let client: Client
  const written: string[] = []
  before(async () => {
    const logger = createLogger('trace', { write: (line) => void written.push(line) })
    mesh = await createMesh(2, { logLevel: 'trace', exec: true, owners: [guest.peerId] }, { logger })
    client = await mesh.client(0)
  })
  after(() => mesh?.close())

  it('neither the log at level trace nor the audit log holds what a manifest, a Secret, a command or a label says', async () => {
    const apply = (text: string) => client.apply(parseManifests(text, { file: 'marked' }), { to: ['node-1'] })
    await apply(marked('one'))
    await apply(marked(`two-${MARKER}`))
    const refused = await (await mesh.client(1, guest)).apply(
      parseManifests(marked('guest'), { file: 'marked' })
    )
    await client.exec('one', { command: [MARKER], onOutput: () => {} }).catch(() => {})
    for await (const _line of client.logs('one'));
    await client.status(MARKER).catch(() => {})
    const stranger = await mesh.client(1, generateSigningKey())
    await stranger.apply(parseManifests(marked('strange'), { file: 'marked' })).catch(() => {})
    await client.delete('one')

    const entries = []
    for (const node of ['node-0', 'node-1']) for await (const entry of client.audit(node)) entries.push(entry)

    expect(refused[0]!.placements[0]!.error).to.include({ code: 'POLICY_REFUSED' })
    expect(entries.map(({ code }) => code)).to.include.members(['POLICY_REFUSED', 'NOT_AUTHORISED'])
    expect(entries.length).to.be.greaterThan(8)
    expect(entries.map(({ action }) => action)).to.include.members([
      'apply',
      'delete',
      'exec',
      'started',
      'stopped'
    ])
    expect(written.length).to.be.greaterThan(100)
    for (const form of FORMS) {
      expect(inspect(entries, { depth: 9 }), form).not.to.contain(form)
      expect(written.filter((line) => line.includes(form)).slice(0, 3), form).to.deep.equal([])
    }
  })
})

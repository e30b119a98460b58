import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { forgeEnvelope } from '../../bench/fuzz/targets/forge.ts'
import { safeText } from '../../src/common/index.ts'
import { encodeErrorReply, encodeQuery, encodeReply } from '../../src/generated/fbs/index.ts'
import { audienceOf } from '../../src/identity/index.ts'
import { openProviderStatement, signProviderStatement } from '../../src/providers/index.ts'
import { createRequest, OWNER_PROTOCOLS, RemoteError } from '../../src/wire/index.ts'
import { bytesOf, NETWORK, NODE, NOW_MS, OWNER } from '../envelope/fixtures.ts'

const ROOT = new URL('../../', import.meta.url)
/** Sets a terminal's title, rings, clears, goes back, turns text round, and does the first with one C1 character. */
const EVIL = '\u001b]0;owned\u0007 \u001b[2J\r\u202e\u009b31m\u2066ok'
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be left
const LEFT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/

const json = (path: string) => JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'))

describe('threats: what people see, and what is installed', () => {
  it('30 terminal escapes: none is left of what a peer says in an error, its details and hint', async () => {
    const details = JSON.stringify({
      candidates: [EVIL, { name: EVIL, [EVIL]: 1, deep: [[EVIL]] }],
      [EVIL]: true,
      highest: '7'
    })
    const error = await refusalWith({ code: `BUSY${EVIL}`, message: EVIL, hint: EVIL, details })

    expect(error).to.be.instanceOf(RemoteError)
    expect(error.details.highest).to.equal('7')
    expect(stringsOf([error.code, error.message, error.hint, error.details])).to.satisfy((all: string[]) =>
      all.every((one) => !LEFT.test(one))
    )
  })

  it('30 terminal escapes: none is left of what a provider says of its workloads', () => {
    const context = { networkId: NETWORK.id, nowMs: NOW_MS }
    const workload = {
      workloadId: EVIL,
      ordinal: 0,
      state: 'failed',
      engine: EVIL,
      message: EVIL,
      ports: [{ containerPort: 80, hostPort: 1, hostIp: EVIL, protocol: 'TCP' }]
    } as const
    const manifestId = bytesOf('manifest', 36)
    const statement = signProviderStatement(
      manifestId,
      { version: 1, workloads: [workload] },
      {
        ...context,
        key: NODE,
        nodeName: EVIL,
        bootId: bytesOf('boot', 16),
        labels: { [EVIL]: EVIL },
        capabilities: [EVIL]
      }
    )
    const { statement: _bytes, ...view } = openProviderStatement(statement, {
      ...context,
      manifestId,
      source: 'peer'
    })

    const all = stringsOf(view)
    expect(all.length).to.be.greaterThan(8)
    for (const one of all) expect(one).not.to.match(LEFT)
    expect(safeText(EVIL)).to.equal(']0;owned [2J31mok')
  })

  it('32 supply chain: every dependency is pinned exactly, and locked with a digest', () => {
    const { dependencies, devDependencies } = json('package.json')
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      expect(version, name).to.match(/^\d+\.\d+\.\d+$/)
    const lock = json('package-lock.json')
    expect(lock.packages[''].dependencies).to.deep.equal(dependencies)
    expect(lock.packages[''].devDependencies).to.deep.equal(devDependencies)
    const entries = Object.entries<{ integrity?: string; version: string }>(lock.packages).slice(1)
    expect(entries).to.have.length.greaterThan(100)
    for (const [path, { integrity }] of entries) expect(integrity, path).to.match(/^sha512-/)
    for (const [path] of entries) expect(path).not.to.match(/flatc/)
  })

  it('32 supply chain: only named packages may run a script when they are installed', () => {
    const { allowScripts } = json('package.json') as { allowScripts: Record<string, boolean> }
    expect(Object.keys(allowScripts).map((name) => name.replace(/@[^@]+$/, ''))).to.deep.equal([
      'node',
      'classic-level'
    ])
  })
})

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return []
  return Object.entries(value).flatMap(([key, child]) => [key, ...stringsOf(child)])
}

/** The error that a node, asked for its status, makes of itself. */
async function refusalWith(reply: Parameters<typeof encodeErrorReply>[0]): Promise<RemoteError> {
  const request = await createRequest({
    protocol: OWNER_PROTOCOLS.status,
    key: OWNER,
    networkId: NETWORK.id,
    target: NODE.publicKey,
    encode: (replyKey) => encodeQuery({ replyKey }),
    now: () => NOW_MS
  })
  const nonceAt = request.envelope.byteLength - 136 + 80
  const payload = encodeReply({ sequence: 0, last: true, sealed: false, body: encodeErrorReply(reply) })
  const frame = forgeEnvelope('reply', payload, {
    key: NODE,
    audience: audienceOf(OWNER.publicKey),
    nonce: request.envelope.slice(nonceAt, nonceAt + 16)
  })
  const frames = (async function* () {
    yield frame
  })()
  return request
    .answers(frames)
    .next()
    .then(
      () => expect.fail('it was an answer'),
      (error: RemoteError) => error
    )
}

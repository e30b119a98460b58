/** docs/PROTOCOL.md and the code say the same: error codes, message types, protocols, limits, formats. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { pnetKey } from '../../src/client/index.ts'
import { MESSAGE_TYPES } from '../../src/envelope/index.ts'
import * as generated from '../../src/generated/fbs/index.ts'
import { SIGNED_KINDS } from '../../src/generated/fbs/index.ts'
import { openNetwork, privateNetwork } from '../../src/identity/index.ts'
import { GOSSIP_BUDGET, NEWCOMER_BUDGET } from '../../src/members/constants.ts'
import {
  PROBE_BUDGET,
  PROBE_TIMEOUT_MS,
  REACH_BUDGET,
  TARGET_BUDGET
} from '../../src/members/detector/constants.ts'
import { HOSTILE_BUDGET, USELESS_BUDGET, USELESS_REQUEST_BUDGET } from '../../src/wire/conduct/conduct.ts'
import { OWNER_BUDGET, STRANGER_BUDGET } from '../../src/wire/doors/doors.ts'
import {
  OWNER_PROTOCOLS,
  PEER_PROTOCOLS,
  PROBE_PROTOCOL,
  type Protocol,
  protocolId
} from '../../src/wire/index.ts'
import { PEER_BUDGET } from '../../src/wire/peer-request.ts'

const ROOT = join(import.meta.dirname, '../..')
const DOC = readFileSync(join(ROOT, 'docs/PROTOCOL.md'), 'utf8')

/** Codes that no answer carries, by list, and why. All others of the lists may travel. */
const LOCAL: Readonly<Record<string, readonly string[]>> = {
  // a request above it is FRAME_TOO_LARGE first, and the objects a node opens for an owner come in smaller fields
  ENVELOPE_ERROR_CODES: ['MESSAGE_TOO_LARGE'],
  // the asker's own view of an answer; nothing throws TIMED_OUT as a WireError
  WIRE_ERROR_CODES: ['TIMED_OUT', 'REPLY_INVALID'],
  // a bad grant is ignored, or told in a sentence of the answer; the owners file is read at the start
  TRUST_ERROR_CODES: ['OWNERS_FILE_INVALID', 'GRANT_INVALID', 'REVOCATION_INVALID'],
  // the sealing side, and the asker's side of an answer; a reply key that is not one gets no answer
  SEALING_ERROR_CODES: [...['PLAINTEXT_TOO_LARGE'], ...['REPLY_OUT_OF_ORDER', 'REPLY_INVALID_FRAME']],
  // nodes read canonical JSON, never YAML
  MANIFEST_ERROR_CODES: ['MANIFEST_SYNTAX'],
  // a node's own statement always has a KEM it knows; the others are the reason why a connection is closed or not made
  MEMBERS_ERROR_CODES: ['STATEMENT_INVALID', 'NO_ADDRESS', 'MEMBER_DEAD'],
  // told in an answer between nodes
  GUESTS_ERROR_CODES: ['INVITE_INVALID', 'INVITE_EXPIRED', 'INVITE_USED'],
  // met at the start, and about what this node wrote itself
  STORE_ERROR_CODES: ['STORE_LOCKED', 'STORE_UNUSABLE', 'STORE_VALUE_INVALID'],
  WORKLOADS_ERROR_CODES: [],
  SCHEDULER_ERROR_CODES: [],
  RUNTIME_ERROR_CODES: []
}
/** Folders none of whose codes a request can meet. */
const LOCAL_LISTS = ['IDENTITY', 'PROVIDERS', 'CONFIG', 'CLI', 'CLIENT', 'TELEMETRY'].map(
  (name) => `${name}_ERROR_CODES`
)
/** For what is no error of ours (src/wire/doors/responder.ts). */
const INTERNAL = 'INTERNAL'

/** Every exported list of codes in src, so that a new one cannot be forgotten here. */
async function codeLists(): Promise<Map<string, readonly string[]>> {
  const lists = new Map<string, readonly string[]>()
  for (const file of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('errors.ts')) continue
    for (const [name, value] of Object.entries(await import(join(ROOT, 'src', file))))
      if (name.endsWith('_ERROR_CODES')) lists.set(name, value as readonly string[])
  }
  return lists
}

/** Rows of the table under a heading, cells trimmed, backticks dropped. */
function rows(heading: string): string[][] {
  const section = DOC.split(/^## /m).find((part) => part.startsWith(heading))
  expect(section, `section ${heading}`).to.be.a('string')
  return section!
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('|---'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map((cells) => cells.slice(1, -1))
}

describe('docs/PROTOCOL.md', () => {
  it('lists every error code that can travel, and nothing else', async () => {
    const lists = await codeLists()
    const travelling = [...lists].flatMap(([name, codes]) =>
      LOCAL_LISTS.includes(name) ? [] : codes.filter((code) => !LOCAL[name]?.includes(code))
    )

    const documented = rows('13. Error codes')
      .map(([code]) => code)
      .filter((code) => code !== 'code')

    expect(documented).to.have.members([...travelling, INTERNAL])
  })

  it('has a decision for every list of codes, and no decision about codes that do not exist', async () => {
    const lists = await codeLists()

    expect([...lists.keys()]).to.have.members([...Object.keys(LOCAL), ...LOCAL_LISTS])
    for (const [name, codes] of Object.entries(LOCAL)) expect(lists.get(name)).to.include.members([...codes])
  })

  it('names in its tables of checks only codes of its own list', () => {
    const known = new Set(rows('13. Error codes').map(([code]) => code))
    const checks = [...rows('6. Envelopes'), ...rows('11. Owner protocols')].filter((row) =>
      /^\d+$/.test(row[0]!)
    )
    const named = checks.flatMap((row) => row.at(-1)!.match(/\b[A-Z][A-Z_]{3,}[A-Z]\b/g) ?? [])

    expect(named.length).to.be.above(25)
    for (const code of named) expect([...known], code).to.include(code)
  })

  it('lists every message type with its payload and who may broadcast', () => {
    const documented = rows('6. Envelopes').filter((row) => row.length === 5 && /^\d+$/.test(row[0]!))

    const actual = Object.values(MESSAGE_TYPES).map(({ type, name, payloads, broadcastAllowed }) => [
      String(type),
      name,
      payloads.map((root) => `${root.name} ${root.identifier}`).join() || 'none: reserved, always refused',
      broadcastAllowed ? 'yes' : 'no'
    ])
    expect(documented.map((row) => row.slice(0, 4))).to.deep.equal(actual)
  })

  it('lists every protocol with its limits', () => {
    const documented = rows('4. Protocols').filter(
      ([name = '']) => !['name', 'forward', PROBE_PROTOCOL.name].includes(name)
    )
    const all: readonly Protocol[] = [...Object.values(OWNER_PROTOCOLS), ...Object.values(PEER_PROTOCOLS)]

    const actual = all.map((row) => [
      row.name,
      row.request,
      String(row.maxRequestBytes),
      row.answerTimeoutMs === undefined ? 'no limit' : `${row.answerTimeoutMs / 1000} s`,
      row.changesState ? 'yes' : 'no',
      row.forwardable ? 'yes' : 'no'
    ])
    expect(documented).to.deep.equal(actual)
    expect(protocolId('<tag>', '<name>')).to.equal('/beemesh/<tag>/<name>/1.0.0')
    expect(DOC).to.contain(protocolId('<tag>', '<name>'))
    for (const { requestTimeoutMs, maxStreams, relayed } of all)
      expect({ requestTimeoutMs, maxStreams, relayed }).to.deep.equal({
        requestTimeoutMs: 5_000,
        maxStreams: 128,
        relayed: true
      })
  })

  it('lists the protocol of probes with its limits', () => {
    const { name, maxFrameBytes, maxStreams } = PROBE_PROTOCOL
    const [, , bytes, within] = rows('4. Protocols').find(([first]) => first === name)!

    expect(bytes).to.equal(String(maxFrameBytes))
    expect(within).to.equal(`${PROBE_TIMEOUT_MS / 1000} s`)
    expect(DOC).to.contain(`of \`probe\` ${maxStreams}.`)
  })

  for (const [name = '', value = '', file = ''] of rows('14. Limits').slice(1))
    it(`quotes ${name} as it is in ${file}`, () => {
      expect(constantOf(name, file)).to.equal(Number(value))
    })

  it('quotes the budgets as they are', () => {
    const said = /for an owner (\d+) .*? and (\d+) a.*?, (\d+) and (\d+);.*?\n?.*?, (\d+) and (\d+)\./s
    const [, ...numbers] = said.exec(DOC) ?? []
    const actual = [OWNER_BUDGET, STRANGER_BUDGET, PEER_BUDGET].flatMap(({ burst, perSecond }) => [
      burst,
      perSecond
    ])

    expect(numbers.map(Number)).to.deep.equal(actual)
    const probes =
      /may send (\d+) probes at once and (\d+) a second; of\nthose for a target (\d+) and (\d+), .* (\d+) times at once and (\d+) a second\./.exec(
        DOC
      )
    expect(probes?.slice(1).map(Number)).to.deep.equal(
      [PROBE_BUDGET, REACH_BUDGET, TARGET_BUDGET].flatMap(({ burst, perSecond }) => [burst, perSecond])
    )
    const gossip =
      /budget \((\d+) at once, (\d+) a second; of all authors not heard of yet (\d+) and (\d+)\)/.exec(DOC)
    expect(gossip?.slice(1).map(Number)).to.deep.equal(
      [GOSSIP_BUDGET, NEWCOMER_BUDGET].flatMap(({ burst, perSecond }) => [burst, perSecond])
    )
    const conduct =
      /network\) (\d+) at once and (\d+) a second, .*? too much\) (\d+) and (\d+), but in requests of owners (\d+) and (\d+)\./s.exec(
        DOC
      )
    expect(conduct?.slice(1).map(Number)).to.deep.equal(
      [HOSTILE_BUDGET, USELESS_BUDGET, USELESS_REQUEST_BUDGET].flatMap(({ burst, perSecond }) => [
        burst,
        perSecond
      ])
    )
  })

  it('names every message and every kind of signed object', () => {
    const messages = Object.values(generated).filter(
      (value) => typeof value === 'object' && 'identifier' in value
    )
    for (const { name } of messages as { name: string }[]) expect(DOC, name).to.contain(name)
    for (const kind of SIGNED_KINDS.slice(1)) expect(DOC).to.contain(`${SIGNED_KINDS.indexOf(kind)} ${kind}`)
  })

  it('writes the PSK file as it is written', () => {
    const text = new TextDecoder().decode(pnetKey(privateNetwork('doc', new Uint8Array(32))))
    const [, said = ''] = /```\n(\/key\/swarm[^`]*)\n```/.exec(DOC) ?? []

    expect(text.replace(/[0-9a-f]{64}$/, '<the PSK as 64 lower-case hexadecimal digits>')).to.equal(said)
    expect(openNetwork('doc').open).to.equal(true)
  })
})

/** The value of a numeric constant by its source text, because not all of them are exported. */
function constantOf(name: string, file: string): number {
  const source = readFileSync(join(ROOT, file), 'utf8')
  const text = new RegExp(`const ${name}(?:: \\w+)? = ([^\\n]+)`).exec(source)?.[1]
  if (text === undefined) return Number.NaN
  return text
    .split(' + ')
    .map((sum) =>
      sum
        .split(' * ')
        .map((factor) =>
          /^[\d_]+$/.test(factor) ? Number(factor.replaceAll('_', '')) : constantOf(factor, file)
        )
        .reduce((a, b) => a * b, 1)
    )
    .reduce((a, b) => a + b, 0)
}

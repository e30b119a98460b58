/**
 * What goes wrong in libp2p without a word, and the test that would catch it.
 *
 * | trap | test |
 * |---|---|
 * | `onDrain()` works once; a slow reader is reset or fills memory | streams: "16 MiB reach a slow reader in full …", "a log of 8 MiB …"; wire/credit |
 * | `pause()` loses the tail | here: "is never paused" |
 * | gossip is silent between more than ten nodes of one address | gossip: "everybody hears everybody" |
 * | gossip above 4 MiB is dropped | providers/provider-statement: "is small enough …", "is not signed …"; config: "refuses labels that do not fit …"; gossip: "the largest statement …" |
 * | the DHT's table stays empty on a LAN | dht: "everybody has everybody in its table"; members/bootstrap |
 * | `provide` tells nobody and succeeds | dht: "an announcement is held by others", "a lone node …"; providers/announcer: "is not announced when nobody took it" |
 * | `allowQueryWithZeroPeers` | here: "never asks the DHT …" |
 * | a question to an empty DHT waits for 180 s | dht: "a lone node …"; here: "always has a deadline" |
 * | provider records cannot be taken back | dht: "a record that others still hold …" |
 * | they are served until the sweep | dht: "a provider that is gone …" |
 * | own records are announced again after a restart | dht: "what it announced in an earlier life …"; node/own-provider-records |
 * | PUT overwrites the newer value, validates nothing | here: "keeps no values in the DHT" |
 * | addresses age away before the provider | here: "keeps addresses for as long …" |
 * | a relay ends connections at 128 KiB and 2 min, has 15 places | connections: "a connection is not limited …", "more nodes find a place …"; scenarios/netns-relayed |
 * | handlers and streams on limited connections | here: "runs all it has on relayed connections" |
 * | more than 32 streams of a protocol are reset | streams: "is answered in full when it is of 64 …", "is answered or refused with a code …" |
 * | more than 10 streams at once on a fresh connection break it | the same |
 * | 5 connections a second from one address, 10 pending | connections: "thirty clients …"; here: "takes as many …"; scenarios/fifty-commands-a-second |
 * | dials at the same moment leave two connections | connections: "two nodes that dial each other …" |
 * | a frame above 4 MiB | wire/hostile-frames: "refuses one that is larger …"; here: "bounds every frame" |
 * | rejections that are events | streams: "a writer that waits …", "a question fails …" |
 * | middleware runs several times | here: "has no middleware" |
 * | a dial resolves that the gater denies | here: "has a gate only …"; who was sent away is refused in the protocol, too: scenarios/hostile-neighbour-is-sent-away |
 * | Node 20, skipLibCheck | here: "says which Node.js it needs" |
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { expect } from 'chai'
import { MemoryDatastore } from 'datastore-core'
import { CONFIG_SCHEMA, withDefaults } from '../../../src/config/index.ts'
import { generateSigningKey, openNetwork, toLibp2pPrivateKeyBytes } from '../../../src/identity/index.ts'
import { hostOptions } from '../../../src/node/libp2p.ts'
import { createLogger, toComponentLogger } from '../../../src/telemetry/index.ts'
import { OWNER_PROTOCOLS, PEER_PROTOCOLS, PROBE_PROTOCOL } from '../../../src/wire/index.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const SOURCES = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('generated'))
  .map((file) => join(ROOT, 'src', file))

/** Where the sources use it, as "folder/file.ts: line". Comments count: what is not used needs no mention but here. */
function uses(pattern: RegExp, where = SOURCES): string[] {
  return where.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${relative(ROOT, file)}: ${line.trim()}`)
  )
}

describe('libp2p traps: what we do not use', () => {
  const cases: readonly (readonly [what: string, pattern: RegExp, because: string])[] = [
    [
      'has no middleware',
      /registrar\s*\.use\(/,
      'each stream adds the handler again: three streams run it six times'
    ],
    [
      'waits for no drain',
      /\.onDrain\(/,
      'it resolves at once after the first time, and memory grows; frames need credit'
    ],
    [
      'is never paused',
      /[sS]tream\.(pause|resume)\(/,
      'a paused stream loses its last bytes without an error'
    ],
    [
      'never asks the DHT while it is empty',
      /allowQueryWithZeroPeers/,
      'it then provides to nobody and succeeds'
    ],
    [
      'keeps no values in the DHT',
      /(contentRouting|dht)\s*[.?]+\s*(put|get)\(/,
      'PUT overwrites the newer value with the older and checks neither'
    ],
    [
      'has a gate only for those who were sent away',
      /(?<!\/\*\* For `createLibp2p\(\{ |\? \{\} : \{ )connectionGater/,
      'a dial that is denied resolves first: refuse in the protocol, too'
    ],
    [
      'reads no stream without credit',
      /for await \(.* of (\w+\.)?(libp2pS|s)tream\)/,
      'there is no back-pressure: a slow reader keeps all of it in memory'
    ]
  ]
  for (const [what, pattern, because] of cases)
    it(what, () => {
      const allowed = (use: string) => !use.startsWith('src/runtime/') // streams of engines are Node.js' own
      expect(uses(pattern).filter(allowed), because).to.deep.equal([])
    })

  it('touches frames of libp2p in one place only, which bounds every frame', () => {
    expect(uses(/lpStream\(|pbStream\(|byteStream\(/)).to.deep.equal([
      'src/wire/channel/frame-channel.ts: const frames = lpStream(stream, { maxDataLength: maxFrameBytes, maxBufferSize: maxFrameBytes * 16 })'
    ])
  })

  it('always has a deadline when it asks the DHT, because an empty one answers after three minutes', () => {
    for (const use of ['findProviders', 'provide']) {
      const call = new RegExp(`contentRouting\\.${use}\\([^]{0,120}`, 'g')
      const calls = SOURCES.flatMap((file) => readFileSync(file, 'utf8').match(call) ?? [])
      expect(calls, use).to.have.length(1)
      expect(calls[0], use).to.match(/signal\b|, options\)/)
    }
  })
})

describe('libp2p traps: what we set', () => {
  const optionsFor = (providerTtlMs: number) => {
    const privateKey = privateKeyFromProtobuf(toLibp2pPrivateKeyBytes(generateSigningKey()))
    return hostOptions({
      privateKey,
      network: openNetwork('traps'),
      datastore: new MemoryDatastore(),
      listen: [],
      config: withDefaults({}),
      onFound() {},
      providerTtlMs,
      logger: toComponentLogger(createLogger('silent'), 'silent')
    })
  }

  it('keeps addresses for as long as a provider may be named, whatever time is configured', () => {
    const { maximum, minimum } = CONFIG_SCHEMA.properties.providerTtlSeconds as {
      maximum?: number
      minimum?: number
    }
    for (const seconds of [minimum!, withDefaults({}).providerTtlSeconds, maximum!]) {
      const { peerStore } = optionsFor(seconds * 1_000)
      // records are named until the sweep after their time, at most a twelfth of it later
      const namedMs = (seconds * 1_000 * 13) / 12
      expect(peerStore!.maxAddressAge, `${seconds} s`).to.be.at.least(namedMs)
      expect(peerStore!.maxPeerAge, `${seconds} s`).to.be.at.least(namedMs)
    }
  })

  it('takes as many connections at once as twenty nodes and their commands make, where libp2p takes 5 a second and 10 pending', () => {
    const { connectionManager } = optionsFor(60_000)
    const { inboundConnectionThreshold, maxIncomingPendingConnections } = connectionManager!
    expect(inboundConnectionThreshold).to.be.at.least(20 + 50)
    expect(maxIncomingPendingConnections).to.be.at.least(20 + 50)
  })

  it('runs all it has on relayed connections, because a limited one resets what is not registered for it', () => {
    const all = [...Object.values(OWNER_PROTOCOLS), ...Object.values(PEER_PROTOCOLS), PROBE_PROTOCOL]
    expect(all.filter(({ relayed }) => !relayed)).to.deep.equal([])
    expect(uses(/runOnLimitedConnection: false/)).to.deep.equal([])
  })

  it('says which Node.js it needs, because libp2p does not: 20 breaks when it starts', () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(Number(/^>=(\d+)$/.exec(engines.node)?.[1])).to.be.at.least(22)
  })
})

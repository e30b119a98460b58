import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Connection, Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { Client, remoteConnection, Session } from '../../../src/client/index.ts'
import { EXCHANGE, encodeExchange, encodeQuery } from '../../../src/generated/fbs/index.ts'
import { publicKeyFromPeerId } from '../../../src/identity/index.ts'
import { parseManifests } from '../../../src/manifest/index.ts'
import { CreditedWriter } from '../../../src/wire/channel/credit.ts'
import {
  CREDIT_FRAMES,
  MAX_ENVELOPE_BYTES,
  PEER_PROTOCOLS,
  PeerWire,
  readCredited,
  streamChannel,
  WireError
} from '../../../src/wire/index.ts'
import { PEER_BUDGET } from '../../../src/wire/peer-request.ts'
import { createHost, HOST_NETWORK, type Host } from '../../fixtures/create-hosts.ts'
import { createMesh, type Mesh } from '../../fixtures/create-mesh.ts'
import { createLoneNode } from '../../fixtures/lone-node.ts'
import { pod, toYaml } from '../../fixtures/workload-files.ts'

/** How many ended in which way: 'ok', or the code of their error. Anything else than an error of ours is named. */
async function outcomes(count: number, one: () => Promise<unknown>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  const note = (outcome: string) => {
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  await Promise.all(
    Array.from({ length: count }, () =>
      one().then(
        () => note('ok'),
        (error: unknown) => note(error instanceof WireError ? error.code : String(error))
      )
    )
  )
  return counts
}

describe('libp2p traps: a burst of requests on a connection that has just been made', () => {
  let mesh: Mesh
  let session: Session
  before(async () => {
    mesh = await createMesh(2)
  })
  after(() => mesh?.close())
  beforeEach(async () => {
    const { network, addresses } = mesh.nodes[0]!
    session = new Session(mesh.key, await remoteConnection(addresses()[0]!, network, {}))
  })
  afterEach(() => session.connection.close())

  const ask = (index: number) => async () => {
    const target = { publicKey: publicKeyFromPeerId(mesh.nodes[index]!.peerId) }
    for await (const _ of session.ask(target, 'status', (replyKey) => encodeQuery({ replyKey })));
  }

  it('is answered in full when it is of 64, where libp2p breaks the connection at 11 and resets at 33', async () => {
    expect(await outcomes(64, ask(0))).to.deep.equal({ ok: 64 })
  })

  it('is answered in full when all of it is passed on to another node', async () => {
    expect(await outcomes(64, ask(1))).to.deep.equal({ ok: 64 })
  })

  it('is answered or refused with a code when it is larger than a connection takes, and the next one is answered', async () => {
    for (const target of [0, 1]) {
      const { ok, TOO_MANY_REQUESTS = 0, ...others } = await outcomes(200, ask(target))
      expect(others).to.deep.equal({})
      expect(ok).to.be.at.least(128)
      expect(ok! + TOO_MANY_REQUESTS).to.equal(200)
      expect(await outcomes(1, ask(target))).to.deep.equal({ ok: 1 })
    }
  })

  it('is answered or refused with a code when it comes through the local socket and is passed on', async () => {
    const local = await mesh.session(0)
    const target = { publicKey: publicKeyFromPeerId(mesh.nodes[1]!.peerId) }
    const {
      ok,
      BUSY = 0,
      ...others
    } = await outcomes(200, async () => {
      try {
        for await (const _ of local.ask(target, 'status', (replyKey) => encodeQuery({ replyKey })));
      } catch (error) {
        throw new WireError((error as WireError).code, (error as WireError).message)
      }
    })
    expect(others).to.deep.equal({})
    expect(ok).to.be.at.least(128)
    expect(ok! + BUSY).to.equal(200)
  })
})

describe('libp2p traps: streams between two hosts', () => {
  let hosts: Host[]
  let connection: Connection
  beforeEach(async () => {
    hosts = [await createHost(), await createHost()]
    connection = await hosts[0]!.libp2p.dial(hosts[1]!.libp2p.getMultiaddrs())
  })
  afterEach(() => Promise.all(hosts.map(({ libp2p }) => libp2p.stop())))

  const wireOf = ({ key, components: { registrar, connectionManager } }: Host) =>
    new PeerWire({ key, network: HOST_NETWORK, registrar, connectionManager })
  const PROTOCOL = '/test/frames/1.0.0'
  /** The two ends of a stream: the asking one and the answering one. */
  const open = async () => {
    const { promise, resolve } = Promise.withResolvers<Stream>()
    await hosts[1]!.libp2p.handle(PROTOCOL, (stream) => resolve(stream))
    const asking = await connection.newStream(PROTOCOL)
    return { asking, answering: await promise }
  }
  const list = () => encodeExchange({})

  /** Asks the other host, which answers all. */
  const askOther = async () => {
    const [asking, answering] = hosts.map(wireOf)
    const { exchange } = PEER_PROTOCOLS
    await answering!.handle(exchange, EXCHANGE, 'memberExchange', async () => list())
    const peer = hosts[1]!.libp2p.peerId
    return () => asking!.ask(peer, exchange, list(), { type: 'memberExchange', root: EXCHANGE })
  }

  it('a burst of questions of a node is answered in full', async () => {
    expect(await outcomes(64, await askOther())).to.deep.equal({ ok: 64 })
  })

  it('a larger one is answered or refused with a code', async () => {
    // not more than a node may ask at once, which how fast they go must not decide
    const { ok, TOO_MANY_REQUESTS = 0, ...others } = await outcomes(PEER_BUDGET.burst, await askOther())
    expect(others).to.deep.equal({})
    expect(ok).to.be.at.least(128)
    expect(ok! + TOO_MANY_REQUESTS).to.equal(PEER_BUDGET.burst)
  })

  it('a question fails with an error and a code when libp2p opens no stream and rejects with an event', async () => {
    const [{ key, components, libp2p }] = hosts as [Host]
    const connectionManager = { openStream: () => Promise.reject(new Event('close')) } as never
    const wire = new PeerWire({
      key,
      network: HOST_NETWORK,
      registrar: components.registrar,
      connectionManager
    })
    const root = { type: 'memberExchange', root: EXCHANGE } as const
    const failure = await wire
      .ask(libp2p.peerId, PEER_PROTOCOLS.exchange, list(), root)
      .catch((error) => error)
    expect(failure).to.be.instanceOf(WireError).and.include({ code: 'NODE_UNREACHABLE', retryable: true })
    expect(failure.message).to.include('an event "close"')
  })

  it('16 MiB reach a slow reader in full, and the sender is never further ahead than its credit', async () => {
    // given
    const { asking, answering } = await open()
    const frames = 70
    const frame = new Uint8Array(229_376)
    const channel = await streamChannel(answering, MAX_ENVELOPE_BYTES)
    const writer = new CreditedWriter(channel)
    let sent = 0
    const writing = (async () => {
      for (; sent < frames; sent++) await writer.write(frame.fill(sent))
      await channel.close()
    })()

    // when
    let received = 0
    let most = 0
    for await (const { byteLength, 0: first } of readCredited(
      await streamChannel(asking, MAX_ENVELOPE_BYTES)
    )) {
      expect([byteLength, first]).to.deep.equal([frame.byteLength, received])
      // slow: it reads on when the sender has used up its credit, and has had time to go beyond
      while (sent < Math.min(frames, received + CREDIT_FRAMES)) await nextTurn()
      for (let turn = 0; turn < 5; turn++) await nextTurn()
      most = Math.max(most, sent - received)
      received++
    }

    // then
    await writing
    expect(received).to.equal(frames)
    expect(most).to.equal(CREDIT_FRAMES)
  })

  it('a writer that waits when the stream breaks gets an error with a code, where libp2p rejects with an event', async () => {
    const { asking, answering } = await open()
    const channel = await streamChannel(answering, MAX_ENVELOPE_BYTES)
    const writing = (async () => {
      for (;;) await channel.write(new Uint8Array(200_000)) // nobody grants credit: libp2p itself holds it back at last
    })().catch((thrown: unknown) => thrown)
    while (!answering.writableNeedsDrain && answering.status === 'open') await nextTurn()
    asking.abort(new Error('the reader breaks'))
    const failure = await writing
    expect(failure).to.be.instanceOf(WireError).with.property('code', 'CONNECTION_LOST')
    expect(failure).to.have.property('cause').that.is.instanceOf(Error)
  })
})

describe('libp2p traps: a log of 8 MiB', () => {
  it('reaches a slow reader at the other end of a connection in full', async () => {
    // given
    const lines = Array.from({ length: 4_000 }, (_, index) => `${index} `.padEnd(2_048, 'x'))
    const lone = await createLoneNode({ script: () => ({ lines }) })
    try {
      await lone.client.apply(parseManifests(toYaml(pod({ name: 'talker' }))))
      const { network, addresses } = lone.node
      const connection = await remoteConnection(addresses()[0]!, network, {})
      const client = new Client({ session: new Session(lone.key, connection) })

      // when
      const read: string[] = []
      for await (const { line } of client.logs('talker', { tail: lines.length })) {
        read.push(line)
        if (read.length % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      }

      // then
      expect(read).to.deep.equal(lines)
      await connection.close()
    } finally {
      await lone.close()
    }
  })
})

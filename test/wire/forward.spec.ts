import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import { decode, ENVELOPE, ERROR_REPLY, REPLY } from '../../src/envelope/index.ts'
import { encodeForward, encodeQuery } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, openNetwork } from '../../src/identity/index.ts'
import { jsonCodec, memoryStore } from '../../src/store/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import { CreditedWriter } from '../../src/wire/channel/credit.ts'
import { Forwarder } from '../../src/wire/doors/forward.ts'
import {
  CREDIT_FRAMES,
  createRequest,
  Doors,
  OWNER_PROTOCOLS,
  ReplayGuard,
  readCredited
} from '../../src/wire/index.ts'
import { channelPair, type MemoryChannel } from './memory-channel.ts'

const networkId = openNetwork('test').id
const [owner, entry, target] = [generateSigningKey(), generateSigningKey(), generateSigningKey()]

/** A forwarder whose target is the other end of a channel in memory. */
async function createForward({ reachable = true, failure = new Error('no route') } = {}) {
  const replay = new ReplayGuard(memoryStore().collection('replay', jsonCodec<number>()))
  const doors = new Doors({
    key: entry,
    networkId,
    trust: () => ownersOnly(new Set([owner.peerId])),
    replay
  })
  const down = channelPair()
  const up = channelPair()
  const opened: string[] = []
  const forwarder = new Forwarder({
    key: entry,
    networkId,
    doors,
    openStream: async (_target, { protocol }) => {
      opened.push(protocol.name)
      if (!reachable) throw failure
      return up.a
    }
  })
  const { envelope } = await createRequest({
    protocol: OWNER_PROTOCOLS.logs,
    key: owner,
    networkId,
    target: target.publicKey,
    entry: entry.publicKey,
    encode: (replyKey) => encodeQuery({ replyKey })
  })
  const frame = encodeForward({ target: target.publicKey, protocol: 'logs', envelope })
  const served = forwarder.serve(down.b, 'local')
  await down.a.write(frame)
  return { asker: down.a, target: up.b, served, envelope, opened }
}

async function codeIn(channel: MemoryChannel): Promise<string> {
  const { body } = decode(REPLY, decode(ENVELOPE, (await channel.read())!).payload)
  return decode(ERROR_REPLY, body!).code
}

describe('wire: forwarding', () => {
  it('passes the envelope on unchanged, and the answer back, frame by frame', async () => {
    const { asker, target: there, served, envelope, opened } = await createForward()
    expect(Buffer.compare((await there.read())!, envelope)).to.equal(0)
    expect(opened).to.deep.equal(['logs'])
    for (const byte of [1, 2, 3]) {
      await there.write(Uint8Array.of(byte))
      expect(await asker.read()).to.deep.equal(Uint8Array.of(byte))
    }
    await there.close()
    expect(await asker.read()).to.equal(undefined)
    await served
  })

  it('carries the credit, so that a slow asker holds the target back', async () => {
    const { asker, target: there, served } = await createForward()
    await there.read()
    const writer = new CreditedWriter(there)
    let sent = 0
    const writing = (async () => {
      for (; sent < 50; sent++) await writer.write(Uint8Array.of(sent))
      await there.close()
    })()
    let received = 0
    for await (const frame of readCredited(asker)) {
      expect(frame[0]).to.equal(received++)
      for (let turn = 0; turn < 20; turn++) await nextTurn()
      expect(sent - received).to.be.at.most(CREDIT_FRAMES)
    }
    expect(received).to.equal(50)
    await Promise.all([writing, served])
  })

  it('ends the request at the target when the asker goes away', async () => {
    const { asker, target: there, served } = await createForward()
    await there.read()
    asker.abort(new Error('the asker hung up'))
    const ended = await there.read().catch((error: Error) => error)
    expect(ended).to.be.instanceOf(Error)
    await served
  })

  it('ends the answer when the target goes away', async () => {
    const { asker, target: there, served } = await createForward()
    await there.read()
    await there.write(Uint8Array.of(1))
    expect(await asker.read()).to.deep.equal(Uint8Array.of(1))
    there.abort(new Error('the target died'))
    expect(await asker.read().catch((error: Error) => error)).to.be.instanceOf(Error)
    await served
  })

  it('says NODE_UNREACHABLE, signed by itself, when it finds no way to the target', async () => {
    const { asker, served } = await createForward({ reachable: false })
    expect(await codeIn(asker)).to.equal('NODE_UNREACHABLE')
    await served
  })

  it('says BUSY when it has as many streams to the target as a connection takes', async () => {
    const failure = Object.assign(new Error('129/128'), { name: 'TooManyOutboundProtocolStreamsError' })
    const { asker, served } = await createForward({ reachable: false, failure })
    expect(await codeIn(asker)).to.equal('BUSY')
    await served
  })
})

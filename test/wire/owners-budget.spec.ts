import { expect } from 'chai'
import { decode, ENVELOPE, ERROR_REPLY, hasIdentifier, QUERY, REPLY } from '../../src/envelope/index.ts'
import { encodeQuery } from '../../src/generated/fbs/index.ts'
import { generateSigningKey, openNetwork } from '../../src/identity/index.ts'
import { jsonCodec, memoryStore } from '../../src/store/index.ts'
import { ownersOnly } from '../../src/trust/index.ts'
import { createRequest, Doors, OWNER_PROTOCOLS, ReplayGuard } from '../../src/wire/index.ts'
import { channelPair } from './memory-channel.ts'

const networkId = openNetwork('test').id
const BURST = 5

describe('wire: the budget of an owner', () => {
  const [owner, node] = [generateSigningKey(), generateSigningKey()]
  let doors: Doors
  beforeEach(() => {
    const trust = () => ownersOnly(new Set([owner.peerId]))
    const replay = new ReplayGuard(memoryStore().collection('replay', jsonCodec<number>()))
    const limits = { burst: BURST, perSecond: 0.001 }
    const budgets = { owners: limits, strangers: limits, newcomers: limits }
    doors = new Doors({ key: node, networkId, trust, replay, budgets })
    doors.open('status', QUERY, async ({ reply }) => reply.send(new Uint8Array(8), { last: true }))
  })

  /** @returns the code of the answer, "ok" when there is none */
  const ask = async (transport: string, { forged = false } = {}): Promise<string> => {
    const { envelope } = await createRequest({
      protocol: OWNER_PROTOCOLS.status,
      key: owner,
      networkId,
      target: node.publicKey,
      entry: undefined,
      encode: (replyKey) => encodeQuery({ replyKey })
    })
    if (forged) {
      const at = Buffer.from(envelope).indexOf(decode(ENVELOPE, envelope).signature)
      envelope[at]! ^= 1
    }
    const { a, b } = channelPair()
    const served = doors.serve(b, 'status', transport)
    await a.write(envelope)
    const { body, sealed } = decode(REPLY, decode(ENVELOPE, (await a.read())!).payload)
    await served
    return !sealed && body !== undefined && hasIdentifier(body, ERROR_REPLY)
      ? decode(ERROR_REPLY, body).code
      : 'ok'
  }

  it('26 denial of service by many applies: nobody else can use it up, from however many places', async () => {
    for (const stranger of ['one', 'two'])
      for (let count = 0; count < 2 * BURST; count++)
        expect(await ask(stranger, { forged: true })).to.equal(
          count < BURST ? 'SIGNATURE_INVALID' : 'TOO_MANY_REQUESTS'
        )
    expect(await ask('local')).to.equal('ok')
    expect(await ask('another node')).to.equal('ok')
  })

  it('is one for all ways it comes in', async () => {
    for (let count = 0; count < BURST; count++) expect(await ask(`node ${count}`)).to.equal('ok')
    expect(await ask('local')).to.equal('TOO_MANY_REQUESTS')
  })
})

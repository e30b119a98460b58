import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect } from 'chai'
import { generateSigningKey } from '../../src/identity/index.ts'
import { sendAway } from '../../src/node/connect-services.ts'
import { WireError } from '../../src/wire/index.ts'

describe('node: sending a neighbour away', () => {
  it('breaks off all its connections, and nobody else’s, without waiting for what it has sent already', async () => {
    const [bad, good] = [generateSigningKey(), generateSigningKey()].map(({ peerId }) =>
      peerIdFromString(peerId)
    )
    const broken: [PeerId, Error][] = []
    const connectionTo = (peer: PeerId) =>
      ({
        abort: (error: Error) => void broken.push([peer, error]),
        close: () => Promise.reject(new TypeError('closed in order'))
      }) as unknown as Connection
    const connections = [bad, good, bad].map((peer) => ({ peer, connection: connectionTo(peer!) }))
    const getConnections = (peer?: PeerId) =>
      connections.filter((one) => one.peer === peer).map(({ connection }) => connection)

    await sendAway({ getConnections }, bad!)

    expect(broken.map(([peer]) => peer)).to.deep.equal([bad, bad])
    for (const [, error] of broken) expect(error).to.be.instanceOf(WireError)
  })
})

import { once } from 'node:events'
import type { PrivateKey, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { bareNode } from '../../bench/bare-node.ts'
import { sealManifest, signTombstone } from '../../src/client/apply/seal.ts'
import { signEnvelope } from '../../src/envelope/index.ts'
import { encodeApplyRequest, encodeDeleteRequest, encodeLookup } from '../../src/generated/fbs/index.ts'
import {
  audienceOf,
  generateSigningKey,
  networkTag,
  openNetwork,
  publicKeyFromPeerId,
  type SigningKey,
  signingKeyFromSeed
} from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { streamChannel } from '../../src/wire/index.ts'
import { createMesh, type Mesh } from '../fixtures/create-mesh.ts'
import { send, signRequest } from '../fixtures/raw-request.ts'
import { pod, toYaml } from '../fixtures/workload-files.ts'

const network = openNetwork('in-process')
const MIB = 1024 * 1024

function closeOf(stream: Stream): Promise<unknown> {
  return stream.status === 'open' ? once(stream as unknown as EventTarget, 'close') : Promise.resolve()
}

/** Somebody who may connect, as in every open network, and keeps to no rule. */
describe('threats: streams and versions', function () {
  this.timeout(30_000)
  let mesh: Mesh
  let hostile: Awaited<ReturnType<typeof bareNode>>
  before(async () => {
    mesh = await createMesh(1)
    hostile = await bareNode(mesh.nodes[0]!.addresses()[0]!, 'in-process')
  })
  after(async () => {
    await hostile?.stop()
    await mesh?.close()
  })

  const open = (name: string) =>
    hostile.dialProtocol(
      multiaddr(mesh.nodes[0]!.addresses()[0]!),
      `/beemesh/${networkTag(network)}/${name}/1.0.0`
    )

  it('2 swapped peer ID: a good envelope of somebody else is refused on the connection it does not belong to', async () => {
    const target = publicKeyFromPeerId(mesh.nodes[0]!.peerId)
    const lookup = async (key: SigningKey) => {
      const payload = encodeLookup({ manifestId: new Uint8Array(36).fill(1) })
      const audience = audienceOf(target)
      const frame = signEnvelope({
        type: 'lookup',
        payload,
        key,
        networkId: network.id,
        audience,
        nowMs: Date.now()
      })
      const channel = await streamChannel(await open('lookup'), MIB)
      await channel.write(frame)
      return channel.read({ signal: AbortSignal.timeout(5_000) }).then(
        (answer) => answer !== undefined,
        () => false
      )
    }
    const { components } = hostile as unknown as { components: { privateKey: PrivateKey } }
    const own = signingKeyFromSeed(components.privateKey.raw.slice(0, 32))

    expect(own.peerId).to.equal(hostile.peerId.toString())
    expect(await lookup(own)).to.equal(true)
    expect(await lookup(generateSigningKey())).to.equal(false)
  })

  it('8 oversized frame: a length of 2^31 ends the stream, and no memory is taken for it', async () => {
    const before = process.memoryUsage().rss
    for (let count = 0; count < 20; count++) {
      const stream = await open('status')
      stream.send(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x08, 1, 2, 3))
      await closeOf(stream)
      expect(stream.status).to.be.oneOf(['reset', 'aborted', 'closed'])
    }

    expect((process.memoryUsage().rss - before) / MIB).to.be.below(100)
  })

  it('9 slowloris: a request of one byte now and then is ended after five seconds', async () => {
    const stream = await open('status')
    const startedAt = performance.now()
    stream.send(Uint8Array.of(0xff, 0x10))
    const drip = setInterval(() => stream.status === 'open' && stream.send(Uint8Array.of(0)), 250)
    await closeOf(stream).finally(() => clearInterval(drip))

    expect(performance.now() - startedAt).to.be.within(3_000, 8_000)
  })

  it('27 rollback: what was deleted does not come back by an older version, after a restart neither', async () => {
    let session = await mesh.session(0)
    const { key } = session
    const { networkId } = session.connection
    const target = publicKeyFromPeerId(mesh.nodes[0]!.peerId)
    const [manifest] = parseManifests(toYaml(pod({ name: 'rollback' })))
    const version = Date.now()
    const apply = async (number: number) => {
      const node = mesh.nodes[0]!.services.members.self()
      const sealed = await sealManifest(manifest!, {
        key,
        networkId,
        version: number,
        nodes: [node],
        nowMs: Date.now()
      })
      const encode = (replyKey: Uint8Array) => encodeApplyRequest({ ...sealed, ordinals: [0], replyKey })
      const request = await signRequest(session, target, { name: 'apply', encode })
      return { ...(await send(session, 'apply', request.envelope, request)), id: sealed.manifestId }
    }
    const { code, id } = await apply(version)
    expect(code).to.equal('ok')
    const record = signTombstone(id, {
      key,
      networkId,
      version: version + 2,
      nowMs: Date.now(),
      fenceKeepers: []
    })
    const encode = (replyKey: Uint8Array) => encodeDeleteRequest({ record, replyKey })
    const request = await signRequest(session, target, { name: 'delete', encode })
    expect(await send(session, 'delete', request.envelope, request)).to.include({ code: 'ok' })

    expect((await apply(version + 1)).code).to.equal('VERSION_STALE')
    await mesh.restart(0)
    session = await mesh.session(0)
    expect((await apply(version + 1)).code).to.equal('VERSION_STALE')
    expect((await apply(version + 3)).code).to.equal('ok')
  })
})

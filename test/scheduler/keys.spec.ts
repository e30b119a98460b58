import { expect } from 'chai'
import { generateSigningKey } from '../../src/identity/index.ts'
import { SchedulerError } from '../../src/scheduler/index.ts'
import { obtainKey } from '../../src/scheduler/keys/obtain-key.ts'
import { ownShare } from '../../src/scheduler/keys/own-share.ts'
import { keyCommitment, openContentKey } from '../../src/sealing/index.ts'
import { codeOfAsync, NETWORK, OWNER } from '../envelope/fixtures.ts'
import { createKeyMesh, type KeyMesh, type KeyNode, lease } from './world-of-keys.ts'

describe('scheduler: keys for a node that is to run a copy', () => {
  let mesh: KeyMesh
  let asker: KeyNode
  const signal = new AbortController().signal
  const about = () => ({
    networkId: NETWORK.id,
    owner: OWNER.publicKey,
    manifestId: mesh.record.manifestId,
    version: mesh.record.version
  })
  const obtain = (ordinals = [0]) => obtainKey(mesh.nodes[1]!.world, mesh.record, { ordinals, signal })
  const refusalsOf = async (): Promise<{ code: string; peerId: string }[]> => {
    const error = await obtain().then(
      () => undefined,
      (thrown: unknown) => thrown as SchedulerError
    )
    expect(error).to.be.instanceOf(SchedulerError)
    return error!.details.refusals as { code: string; peerId: string }[]
  }
  const expectKey = async (key: Uint8Array) =>
    expect(keyCommitment(about(), key)).to.deep.equal(mesh.record.keyCommitment)

  beforeEach(async () => {
    mesh = await createKeyMesh()
    asker = mesh.nodes[1]!
    mesh.nodes[0]!.isDown = true // it ran copy 0
  })

  it('comes whole from a node that runs the manifest', async () => {
    const [first] = mesh.nodes as [KeyNode]
    first.isDown = false
    const sealedKey = mesh.sealed.sealedKeys.find(({ recipient }) => recipient === first.key.publicKey)!
    first.runs = await openContentKey({
      ...about(),
      ...sealedKey,
      sealingKey: first.sealingKey,
      commitment: mesh.record.keyCommitment!,
      recipient: first.key.publicKey
    })
    for (const node of mesh.nodes) node.leases = [lease(first, 1, mesh.record.version)]
    for (const holder of mesh.nodes.slice(2)) holder.isDown = true

    await expectKey(await obtain([0]))
  })

  it('is rebuilt from three of five holders, whichever they are', async () => {
    mesh.nodes[3]!.isDown = true
    mesh.nodes[5]!.isDown = true

    await expectKey(await obtain())
  })

  it('is rebuilt with the share that the node holds itself', async () => {
    for (const index of [3, 4]) mesh.nodes[index]!.isDown = true
    const holder = mesh.nodes[2]!
    const own = await ownShare(holder.world, holder.kept, mesh.record)
    const { world } = holder

    await expectKey(await obtainKey(world, mesh.record, { ordinals: [0], own, signal }))
  })

  it('21 theft of key shares: two holders and every other node together learn nothing', async () => {
    for (const index of [2, 3, 4]) mesh.nodes[index]!.isDown = true

    expect(await codeOfAsync(obtain)).to.equal('KEY_UNAVAILABLE')
  })

  it('22 cheating share: holders that give wrong ones are named, and three honest ones are enough', async () => {
    // given: one gives nothing in the right form, one gives the share of another
    mesh.nodes[2]!.lie = (released) => ({ ...released, ciphertext: new Uint8Array(49) })
    mesh.nodes[3]!.lie = (released) => ({ ...released, index: 5 })

    await expectKey(await obtain())

    // when one more is gone, they are named
    mesh.nodes[4]!.isDown = true
    const refusals = await refusalsOf()
    const liars = refusals.filter(({ code }) => code === 'SHARE_INVALID').map(({ peerId }) => peerId)
    expect(liars).to.have.members([mesh.nodes[2]!.key.peerId, mesh.nodes[3]!.key.peerId])
  })

  it('23 bogus replacement: a node that says a copy is lost while its lease is seen gets nothing', async () => {
    for (const node of mesh.nodes) node.leases = [lease(mesh.nodes[0]!, 0, mesh.record.version)]
    asker.leases = [] // it lies, or sees less: what counts is what each holder has seen itself

    for (const { code } of await refusalsOf()) expect(code).to.be.oneOf(['NOT_YET', 'UNREACHABLE'])
    expect(await codeOfAsync(obtain)).to.equal('KEY_UNAVAILABLE')
  })

  it('23 bogus replacement: while three holders still see the lease, the other two are not enough', async () => {
    for (const index of [2, 3, 4]) mesh.nodes[index]!.leases = [lease(mesh.nodes[0]!, 0, mesh.record.version)]

    expect(await codeOfAsync(obtain)).to.equal('KEY_UNAVAILABLE')
  })

  it('comes while one that holds a share never answers, also when the others give theirs only later', async () => {
    mesh.nodes[2]!.hangs = true
    for (const node of mesh.nodes) node.leases = [lease(mesh.nodes[0]!, 0, mesh.record.version)]
    const obtained = obtain()
    for (const node of mesh.nodes) node.leases = []

    await expectKey(await obtained)
  })

  it('is not asked for any longer when another node has begun to run the copy', async () => {
    for (const node of mesh.nodes) node.leases = [lease(mesh.nodes[0]!, 0, mesh.record.version)]
    let rounds = 0
    const assertWanted = () => {
      if (++rounds === 2) throw new SchedulerError('NOT_NEEDED', 'copy 0 is being started elsewhere')
    }
    const { world } = mesh.nodes[1]!
    const asked = () => obtainKey(world, mesh.record, { ordinals: [0], assertWanted, signal })
    expect(await codeOfAsync(asked)).to.equal('NOT_NEEDED')
    expect(rounds).to.equal(2)
  })

  it('is refused to whoever is no member, and for copies that are not', async () => {
    mesh.strangers.add(asker.key.peerId)
    expect((await refusalsOf()).map(({ code }) => code)).to.include('NOT_FOR_STRANGERS')
    mesh.strangers.clear()
    expect(await codeOfAsync(() => obtain([2]))).to.equal('KEY_UNAVAILABLE')
    expect(await codeOfAsync(() => obtain([]))).to.equal('KEY_UNAVAILABLE')
  })

  it('is given to those alone whom the owner named, where he did', async () => {
    mesh = await createKeyMesh({ recoveryNodes: [6] })
    expect((await refusalsOf()).map(({ code }) => code)).to.include('NOT_ALLOWED')
    const { world } = mesh.nodes[6]!
    await expectKey(await obtainKey(world, mesh.record, { ordinals: [0], signal }))
  })

  it('is given for one copy to one node within a lease', async () => {
    await obtain([0])
    const second = mesh.nodes[0]!
    second.isDown = false
    const request = {
      manifestId: mesh.record.manifestId,
      version: mesh.record.version,
      ordinals: [0],
      sealingEpoch: 1
    }
    const holder = mesh.nodes[4]!.releasing

    expect((await holder.answer(request, second.key.peerId)).code).to.equal('NOT_YET')
    expect((await holder.answer(request, asker.key.peerId)).code).to.equal(undefined) // it may ask again
    expect((await holder.answer({ ...request, ordinals: [1] }, second.key.peerId)).code).to.equal(undefined)
    mesh.clockMs += 10_001
    expect((await holder.answer(request, second.key.peerId)).code).to.equal(undefined)
  })

  it('is not given for a version that is not the newest, nor for what was deleted or never kept', async () => {
    const [, , holder] = mesh.nodes as [KeyNode, KeyNode, KeyNode]
    const request = { manifestId: mesh.record.manifestId, ordinals: [0], sealingEpoch: 1 }
    const ask = (version: number) => holder.releasing.answer({ ...request, version }, asker.key.peerId)
    expect((await ask(mesh.record.version - 1)).code).to.equal('NOT_KEPT')
    expect((await ask(mesh.record.version + 1)).code).to.equal('NOT_KEPT')
    await holder.kept.delete(mesh.record.manifestId)
    expect((await ask(mesh.record.version)).code).to.equal('NOT_KEPT')
  })

  it('is sealed to nobody whose sealing key is not known from its own statement', async () => {
    const { record } = mesh
    const request = { manifestId: record.manifestId, version: record.version, ordinals: [0], sealingEpoch: 9 }
    const stranger = generateSigningKey().peerId
    const { releasing } = mesh.nodes[2]!
    expect((await releasing.answer(request, asker.key.peerId)).code).to.equal('NOT_YET')
    expect((await releasing.answer({ ...request, sealingEpoch: 1 }, stranger)).code).to.equal('NOT_YET')
  })
})

import { expect } from 'chai'
import { type SealedManifest, sealManifest } from '../../src/client/apply/seal.ts'
import { encodeApplyRequest } from '../../src/generated/fbs/index.ts'
import { publicKeyFromPeerId } from '../../src/identity/index.ts'
import { parseManifests } from '../../src/manifest/index.ts'
import { OLD_KEY_GRACE_MS } from '../../src/sealing/index.ts'
import type { PastRelease } from '../../src/workloads/types.ts'
import { createLoneNode, type LoneNode } from '../fixtures/lone-node.ts'
import { send, signRequest } from '../fixtures/raw-request.ts'
import { deployment, pod, toYaml } from '../fixtures/workload-files.ts'

describe('workloads: when the sealing key of the node is replaced', () => {
  let lone: LoneNode
  let laterMs = 0
  beforeEach(async () => {
    laterMs = 0
    lone = await createLoneNode({}, { now: () => Date.now() + laterMs })
  })
  afterEach(() => lone?.close())

  const manifestsOf = (document: object) => parseManifests(toYaml(document))
  const self = () => lone.node.services.members.self()
  const epochs = () =>
    lone.node.services.workloads.list().map(({ content }) => content?.sealedKey.sealingEpoch)
  const pass = async (ms: number) => {
    laterMs += ms
    await lone.node.sealing.round()
  }
  const seal = (name: string, node = self()) =>
    sealManifest(manifestsOf(pod({ name }))[0]!, {
      key: lone.key,
      networkId: lone.session.connection.networkId,
      version: Date.now(),
      nodes: [node],
      nowMs: Date.now()
    })
  const apply = async (sealed: SealedManifest) => {
    const encode = (replyKey: Uint8Array) => encodeApplyRequest({ ...sealed, ordinals: [0], replyKey })
    const request = await signRequest(lone.session, publicKeyFromPeerId(lone.node.peerId), {
      name: 'apply',
      encode
    })
    return send(lone.session, 'apply', request.envelope, request)
  }
  /** Takes a copy from the engine behind the node's back: it is started again from what is stored. */
  const fallOver = async () => {
    const [manifest] = lone.node.services.workloads.list()
    const restarted = lone.event(({ type }) => type === 'restarted')
    await lone.engine.remove(manifest!.workloads[0]!.workloadId, { graceMs: 0 })
    await restarted
  }

  it('what runs is sealed to the new one, which the node tells the others at once', async () => {
    await lone.client.apply(manifestsOf(deployment({ name: 'web', replicas: 2 })))
    const before = self()
    await lone.node.sealing.rotate()

    expect(epochs()).to.deep.equal([2])
    expect(self().sealingEpoch).to.equal(2)
    expect(self().sealingKey).not.to.deep.equal(before.sealingKey)
  })

  it('versions of before are sealed anew, too, so that they can be given back', async () => {
    await lone.client.apply(manifestsOf(pod({ name: 'web' })))
    await lone.client.apply(manifestsOf(pod({ name: 'web', command: ['sleep', '9'] })))
    await lone.node.sealing.rotate()
    const [held] = lone.node.services.workloads.list()
    const history: readonly PastRelease[] = held?.history ?? []

    expect(history.map(({ content }) => content?.sealedKey.sealingEpoch)).to.deep.equal([2])
  })

  it('three times in a row, each old key destroyed, a copy is started again after a restart of the node', async () => {
    await lone.client.apply(manifestsOf(pod({ name: 'web' })))
    for (let time = 0; time < 3; time++) {
      await lone.node.sealing.rotate()
      await pass(OLD_KEY_GRACE_MS)
    }
    expect(epochs()).to.deep.equal([4])
    await lone.restart()
    expect(self().sealingEpoch).to.equal(4)
    await fallOver()

    expect(epochs()).to.deep.equal([4])
  })

  it('an apply that was sealed to the one before is taken, and sealed to the new one before that goes', async () => {
    const sealed = await seal('just-in-time')
    await lone.node.sealing.rotate()
    expect(await apply(sealed)).to.include({ code: 'ok' })
    expect(epochs()).to.deep.equal([1])
    await pass(OLD_KEY_GRACE_MS)
    expect(epochs()).to.deep.equal([2])
    await lone.restart()
    await fallOver()
  })

  it('an apply that was sealed to one that is destroyed is refused, and says to apply again', async () => {
    const sealed = await seal('too-late')
    await lone.node.sealing.rotate()
    await pass(OLD_KEY_GRACE_MS)
    const outcome = await apply(sealed)

    expect(outcome.code).to.equal('SEALING_KEY_GONE')
    expect(outcome.hint).to.match(/^Apply again/)
    expect(lone.node.services.workloads.list()).to.deep.equal([])
    const [again] = await lone.client.apply(manifestsOf(pod({ name: 'too-late' })))
    expect(again!.placements.map(({ state }) => state)).to.deep.equal(['running'])
  })

  it('the one of before is gone from the disk when its grace is over, also when the node was off meanwhile', async () => {
    await lone.client.apply(manifestsOf(pod({ name: 'web' })))
    await lone.node.sealing.rotate()
    laterMs += OLD_KEY_GRACE_MS
    const sealed = await seal('late', { ...self(), sealingEpoch: 1 })
    await lone.restart()
    await lone.node.sealing.round()

    expect(await apply(sealed)).to.include({ code: 'SEALING_KEY_GONE' })
    await fallOver()
  })
})

import { expect } from 'chai'
import { expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { createProcessMesh, type ProcessMesh } from '../fixtures/create-process-mesh.ts'
import { until } from '../fixtures/until.ts'
import { deployment, pod } from '../fixtures/workload-files.ts'

interface Copy {
  readonly ordinal: number
  readonly workloadId: string
  readonly state: string
  readonly node: string
  readonly unchanged?: boolean
}

describe('cli: scale and restart', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(30_000)
    mesh = await createProcessMesh({ nodes: ['anna', 'bert', 'cleo'] })
  })
  after(() => mesh?.close())

  const copies = async (ref: string): Promise<Copy[]> =>
    expectDone(await mesh.cli(['status', ref]), 'status').placements
  const ids = (placements: readonly Copy[]) => placements.map(({ workloadId }) => workloadId).sort()

  it('scale up adds copies and leaves those that run alone; scale down stops some', async function () {
    this.timeout(40_000)
    // given
    const [before] = await mesh.given([deployment({ name: 'web', replicas: 2 })])
    // when
    const [result] = expectDone(await mesh.cli(['scale', 'web', '--replicas', '5']), 'apply').results
    // then
    expect(result.placements.filter(({ unchanged }: Copy) => unchanged)).to.have.length(2)
    const grown = await copies('web')
    expect(grown.map(({ ordinal }) => ordinal)).to.deep.equal([0, 1, 2, 3, 4])
    expect(ids(grown)).to.include.members(ids(before!.placements))
    // when
    expectDone(await mesh.cli(['scale', 'deployment/web', '--replicas', '1'], { entry: 2 }), 'apply')
    // then
    const left = await until(
      'until one copy is left',
      async () => {
        const status = expectDone(await mesh.cli(['status', 'web']), 'status')
        return status.placements.length === 1 ? (status.placements as Copy[]) : undefined
      },
      { deadlineMs: 15_000 }
    )
    expect(left.map(({ ordinal }) => ordinal)).to.deep.equal([0])
    expect(ids(before!.placements)).to.include.members(ids(left))
  })

  it('scale to none and back again', async function () {
    this.timeout(40_000)
    await mesh.given([deployment({ name: 'rest', replicas: 2 })], ['bert'])
    expectDone(await mesh.cli(['scale', 'rest', '--replicas', '0']), 'apply')
    await until('until none is left', async () => ((await copies('rest')).length === 0 ? true : undefined), {
      deadlineMs: 15_000
    })
    expectDone(await mesh.cli(['scale', 'rest', '--replicas', '2']), 'apply')
    expect(await copies('rest')).to.have.length(2)
  })

  it('restart replaces every copy where it is', async () => {
    const [before] = await mesh.given([deployment({ name: 'again', replicas: 2 })])
    expectDone(await mesh.cli(['restart', 'again'], { entry: 1 }), 'apply')
    const after = await copies('again')
    expect(after.map(({ node }) => node)).to.deep.equal(before!.placements.map(({ node }) => node))
    expect(ids(after)).to.have.length(2)
    for (const id of ids(before!.placements)) expect(ids(after)).not.to.include(id)
  })

  it('restart works for a Pod; scale does not, and says what has a number', async () => {
    const [before] = await mesh.given([pod({ name: 'one' })])
    expectDone(await mesh.cli(['restart', 'pod/one']), 'apply')
    expect(ids(await copies('one'))).not.to.deep.equal(ids(before!.placements))
    const error = expectFailure(await mesh.cli(['scale', 'one', '--replicas', '2']), 2, 'NOT_SCALABLE')
    expect(error.message).to.equal('a Pod has no number of copies to change')
  })

  it('scale of what nobody holds is not found, and of no number wrong usage', async () => {
    expectFailure(await mesh.cli(['scale', 'nothing', '--replicas', '2']), 4, 'REF_NOT_FOUND')
    expectFailure(await mesh.cli(['scale', 'web', '--replicas', 'many']), 2, 'USAGE')
  })
})

describe('cli: rollout', () => {
  let mesh: ProcessMesh
  before(async function () {
    this.timeout(30_000)
    mesh = await createProcessMesh({ nodes: ['anna', 'bert'] })
  })
  after(() => mesh?.close())

  it('status, history and undo', async function () {
    this.timeout(40_000)
    await mesh.given([deployment({ name: 'web', replicas: 2, image: 'localhost/web:1' })])
    await mesh.given([deployment({ name: 'web', replicas: 2, image: 'localhost/web:2' })])
    const status = expectDone(await mesh.cli(['rollout', 'status', 'web', '--wait']), 'rollout-status')
    expect(status).to.include({ complete: true, updated: 2, replicas: 2 })
    const { versions } = expectDone(await mesh.cli(['rollout', 'history', 'web']), 'rollout-history')
    expect(versions).to.have.length(2)
    expect(versions[0]).to.include({ current: true, version: status.version })
    const [undone] = expectDone(await mesh.cli(['rollout', 'undo', 'web'], { entry: 1 }), 'apply').results
    expect(BigInt(undone.version) > BigInt(status.version)).to.equal(true)
    const args = ['rollout', 'undo', 'web', '--to-version', status.version]
    expectDone(await mesh.cli(args), 'apply')
    const wrong = ['rollout', 'undo', 'web', '--to-version', '17']
    expectFailure(await mesh.cli(wrong), 1, 'NOT_READABLE')
  })

  it('undo of what has run in one version only is not found', async () => {
    await mesh.given([pod({ name: 'one' })])
    expectFailure(await mesh.cli(['rollout', 'undo', 'one']), 4, 'NO_VERSION_BEFORE')
  })
})

import { expect } from 'chai'
import type { NodeView } from '../../src/members/index.ts'
import { Intake, type IntakeInit } from '../../src/members/spread/intake.ts'

describe('members: what others know of this node', () => {
  it('is told to it, and to one that leaves no more', () => {
    const told: number[] = []
    const init = { self: 'me', onOwn: ({ issuedAtMs }: NodeView) => told.push(issuedAtMs) }
    const intake = new Intake(init as unknown as IntakeInit)
    const said = (issuedAtMs: number) => ({ peerId: 'me', issuedAtMs }) as NodeView

    expect(intake.take(said(7))).to.equal(true)
    intake.closed = true
    intake.take(said(8))

    expect(told).to.deep.equal([7])
  })
})

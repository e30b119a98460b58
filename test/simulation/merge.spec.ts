import { expect } from 'chai'
import { setStage } from './stage.ts'
import { withVirtualTime } from './time/globals.ts'
import { dice } from './time/random.ts'

describe('simulation: a partition is over', () => {
  it('the owner reads in the events what ran twice, where it was drained, and who goes on', async () => {
    await withVirtualTime(dice(5), async (clock) => {
      // given
      const { mesh, owner, invariants } = await setStage(clock, { nodes: 4 })
      const wait = (ms: number) => clock.run(clock.nowMs + ms)
      await wait(5_000)
      const entry = mesh.machines[0]!
      clock.after(0, owner.host, () => void owner.apply('web', entry, { replicas: 4, change: 0 }))
      await wait(40_000)

      // when
      const pairs = [0, 1].flatMap((a) => [2, 3].flatMap((b) => [[a, b] as const, [b, a] as const]))
      for (const [from, to] of pairs) mesh.topology.block(from, to)
      mesh.topology.update()
      mesh.wire.cut()
      await wait(40_000)
      const doubled = invariants.copies().length - 4
      for (const [from, to] of pairs) mesh.topology.unblock(from, to)
      mesh.topology.update()
      await wait(30_000)

      // then
      const drained = mesh.machines.flatMap(({ name, daemon }) =>
        daemon!.workloads
          .recentEvents()
          .flatMap(({ type, ordinal, reason }) => (type === 'drained' ? [{ name, ordinal, reason }] : []))
      )
      expect(doubled).to.be.greaterThan(0)
      expect(drained).to.have.length(doubled)
      for (const { name, ordinal, reason } of drained) {
        const left = invariants.copies().filter((copy) => copy.ordinal === ordinal)
        expect(left.map(({ machine }) => machine.name))
          .to.have.length(1)
          .and.not.include(name)
        expect(reason).to.equal(`it ran twice, and goes on on ${left[0]!.machine.name}`)
      }
    })
  })
})

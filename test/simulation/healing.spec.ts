import { expect } from 'chai'
import type { Machine } from './node/machine.ts'
import { type Lost, loseInTurn } from './rounds.ts'
import { setStage } from './stage.ts'
import { withVirtualTime } from './time/globals.ts'
import { dice } from './time/random.ts'

const text = ({ machine, lines }: Lost) => `${machine}: ${lines.join('; ')}`

describe('simulation: a machine is lost', function () {
  this.timeout(60_000)

  // a death is noticed after 0.3 s here when it was told, and after 4.5 s of silence; a keeper looks every 2 s beside
  for (const [how, noticedMs] of [
    ['process killed', 300],
    ['power gone', 4_500]
  ] as const)
    it(`bids are asked for at once when it is noticed, whatever keepers were about to do: ${how}`, async () => {
      for (const seed of [1, 4, 8]) {
        const all = await loseInTurn({ seed, nodes: 5, rounds: 5, how })
        const late = all.filter(({ askedMs = 1e9 }) => askedMs > noticedMs + 400)
        expect(late.map(text), `seed ${seed}`).to.deep.equal([])
        expect(all.filter(({ healedMs }) => healedMs === undefined).map(text)).to.deep.equal([])
      }
    })

  it('the only node left tries again what failed to start there once', async () => {
    await withVirtualTime(dice(3), async (clock) => {
      // given
      const { mesh, owner, invariants, engine } = await setStage(clock, { nodes: 2 })
      const wait = (ms: number) => clock.run(clock.nowMs + ms)
      await wait(5_000)
      clock.after(0, owner.host, () => void owner.apply('web', mesh.machines[0]!, { replicas: 1, change: 0 }))
      await wait(40_000)
      const [lost] = invariants.copies()

      // when
      engine.failures = 1
      mesh.powerOff(lost!.machine)
      await wait(15_000)
      engine.failures = 0
      await wait(60_000)

      // then
      const names = invariants.copies().map(({ machine }) => machine.name)
      expect(names).to.deep.equal(
        mesh.machines.flatMap(({ name }) => (name === lost!.machine.name ? [] : [name]))
      )
    })
  })

  it('what could be started neither anew nor as it was is started as it was when it can be', async () => {
    await withVirtualTime(dice(4), async (clock) => {
      // given
      const { mesh, owner, invariants, engine } = await setStage(clock, { nodes: 1 })
      const apply = async (change: number) => {
        const [entry] = mesh.machines
        // what is fenced stops before the new one starts
        clock.after(0, owner.host, () => void owner.apply('f-web', entry!, { replicas: 1, change }))
        await clock.run(clock.nowMs + 20_000)
      }
      await clock.run(clock.nowMs + 5_000)
      await apply(0)
      const before = invariants.copies().map(({ version }) => version)

      // when
      engine.failures = 1
      await apply(1)
      const meanwhile = invariants.copies().length
      engine.failures = 0
      await clock.run(clock.nowMs + 60_000)

      // then
      expect(meanwhile).to.equal(0)
      expect(before).to.have.length(1)
      expect(invariants.copies().map(({ version }) => version)).to.deep.equal(before)
    })
  })

  it('a node that was cut off when a Job was deleted that it had done is told when it is back', async () => {
    await withVirtualTime(dice(10), async (clock) => {
      // given
      const { mesh, owner } = await setStage(clock, { nodes: 20 })
      const wait = (ms: number) => clock.run(clock.nowMs + ms)
      const act = (run: (entry: Machine) => Promise<void>, entry: Machine) =>
        clock.after(0, owner.host, () => void run(entry))
      await wait(5_000)
      act((entry) => owner.apply('j-sum', entry, { replicas: 1, change: 0 }), mesh.machines[0]!)
      await wait(40_000)
      const ran = mesh.machines.find(({ containers }) => containers.runs.length > 0)!
      expect(ran.daemon!.parts.kept.all(), 'else it would be told as a keeper').to.deep.equal([])
      const others = mesh.machines.filter((machine) => machine !== ran)

      // when
      const pairs = others.flatMap(({ at }) => [[at, ran.at] as const, [ran.at, at] as const])
      for (const [from, to] of pairs) mesh.topology.block(from, to)
      mesh.topology.update()
      mesh.wire.cut()
      await wait(10_000)
      act((entry) => owner.delete('j-sum', entry), others[0]!)
      await wait(20_000)
      const before = ran.daemon!.workloads.list().length
      for (const [from, to] of pairs) mesh.topology.unblock(from, to)
      mesh.topology.update()
      await wait(30_000)

      // then
      expect([before, ran.daemon!.workloads.list().length]).to.deep.equal([1, 0])
    })
  })

  it('a node whose clock is behind after a restart keeps its copy, and nobody else starts it', async () => {
    await withVirtualTime(dice(12), async (clock) => {
      // given
      const { mesh, owner, invariants } = await setStage(clock, { nodes: 4 })
      const wait = (ms: number) => clock.run(clock.nowMs + ms)
      await wait(5_000)
      clock.after(0, owner.host, () => void owner.apply('web', mesh.machines[0]!, { replicas: 2, change: 0 }))
      await wait(60_000)
      const shown = () =>
        invariants.copies().map(({ machine, workloadId }) => `${workloadId} ${machine.name}`)
      const before = shown()
      const [{ machine, id }] = invariants.copies() as [ReturnType<typeof invariants.copies>[0]]
      const { peerId } = machine.keys.key
      const seen = () =>
        mesh.machines.filter(({ daemon }) =>
          daemon!.providers.leased(Buffer.from(id, 'hex')).some((lease) => lease.peerId === peerId)
        )

      // when
      mesh.setSkew(machine, -20_000)
      mesh.restart(machine, 1_000)

      // then
      for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 500) {
        await wait(500)
        expect(shown()).to.deep.equal(before)
        // by another one that asked it, long before its clock is where it was
        if (waitedMs === 10_000) expect(seen().filter((one) => one !== machine)).to.not.deep.equal([])
      }
      const healed = mesh.machines.flatMap(({ daemon }) => daemon!.scheduler.healed())
      expect(healed).to.deep.equal([])
    })
  })
})

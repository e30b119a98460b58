import { Invariants } from './invariants/invariants.ts'
import { calmEngine, type EngineSettings } from './node/engine.ts'
import { keysOf } from './node/keys.ts'
import { Mesh } from './node/machine.ts'
import { Owner } from './owner/owner.ts'
import type { VirtualClock } from './time/clock.ts'

/** A mesh that was just switched on, and an owner, for a test that says itself what happens. */
export async function setStage(
  clock: VirtualClock,
  {
    nodes,
    labels = () => ({}),
    log = () => {}
  }: {
    nodes: number
    labels?: (index: number) => Readonly<Record<string, string>>
    log?: (name: string, line: string) => void
  }
): Promise<{ mesh: Mesh; owner: Owner; invariants: Invariants; engine: EngineSettings }> {
  const engine = calmEngine([300, 900])
  const note = () => {}
  const mesh: Mesh = new Mesh({
    clock,
    engine,
    note,
    owner: (await keysOf('owner')).key.peerId,
    log,
    onBegins: () => {},
    onReleased: () => {},
    onSentAway: () => {}
  })
  const onBug = (error: unknown) => log('owner', String(error))
  const owner = await Owner.create({ mesh, clock, note, onBug })
  for (let index = 0; index < nodes; index++) mesh.start(await mesh.add(labels(index)))
  return { mesh, owner, engine, invariants: new Invariants({ clock, mesh, owner }) }
}

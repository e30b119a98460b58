/** A process of `npm run chaos`: runs what it is handed, one after the other, because time itself is replaced in it. */
import { type SimulationInit, simulate } from '../test/simulation/simulate.ts'

process.on('message', (init: SimulationInit) => {
  simulate(init).then(
    (result) => process.send?.({ result }),
    (error: unknown) =>
      process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  )
})

/**
 * What every engine must do, as one mocha suite: run it against a new engine with a fixture, and it is done when this passes.
 * After every case nothing of it is left on the engine; that is asserted too, through the fixture's own eyes and not the engine's.
 * Cases run a few at a time, because an engine must bear that and because it is quicker; each is still a test of its own.
 */
import { expect } from 'chai'
import { lifecycleCases } from './engine/lifecycle.ts'
import { logsCases } from './engine/logs.ts'
import { startPool } from './engine/pool.ts'
import { refusalsCases } from './engine/refusals.ts'
import { runningCases } from './engine/running.ts'
import { thingsCases } from './engine/things.ts'
import { type Cases, createTools, type EngineFixture, type Tools } from './engine/tools.ts'

export type { Commands, ContainerScript, EngineFixture } from './engine/tools.ts'

const CASES: Cases = { ...lifecycleCases, ...refusalsCases, ...logsCases, ...runningCases, ...thingsCases }
/** Cases at once. More do not end sooner on two cores. */
const CONCURRENCY = 4

export interface SuiteOptions {
  /** Only the cases whose title this accepts. */
  readonly only?: (title: string) => boolean
}

export function describeEngine(
  name: string,
  createFixture: () => Promise<EngineFixture | undefined>,
  { only = () => true }: SuiteOptions = {}
): void {
  describe(`the engine contract, by ${name}`, function () {
    this.timeout(180_000)
    const titles = Object.keys(CASES).filter(only)
    let results = new Map<string, Promise<void>>()
    let fixture: EngineFixture | undefined

    before(async function () {
      const made = await createFixture()
      if (made === undefined) return this.skip()
      fixture = made
      let ids = 0
      const toBody = (title: string) => () => runCase(made, CASES[title]!, () => `${made.prefix}${ids++}`)
      results = startPool(Object.fromEntries(titles.map((title) => [title, toBody(title)])), CONCURRENCY)
    })

    for (const title of titles) it(title, () => results.get(title))

    after(async () => {
      await Promise.allSettled(results.values())
      await fixture?.close()
    })
  })
}

async function runCase(
  fixture: EngineFixture,
  run: (tools: Tools) => Promise<void>,
  createId: () => string
): Promise<void> {
  const used: string[] = []
  const newId = () => {
    const id = createId()
    used.push(id)
    return id
  }
  try {
    await run(createTools(fixture, newId))
  } finally {
    await Promise.all(used.map((id) => fixture.engine.remove(id)))
  }
  for (const id of used) expect(await fixture.leftovers(id), 'left over').to.deep.equal([])
}

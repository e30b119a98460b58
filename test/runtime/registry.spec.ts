import { expect } from 'chai'
import {
  createEngine,
  ENGINE_NAMES,
  type EngineAvailability,
  EngineRegistry,
  MockEngine,
  RUNTIME_ERROR_CODES,
  type RuntimeEngine,
  type RuntimeError
} from '../../src/runtime/index.ts'

function createEngineCalled(name: string, answer: () => EngineAvailability): RuntimeEngine {
  return Object.defineProperties(new MockEngine(), {
    name: { value: name },
    isAvailable: { value: async () => answer() }
  })
}

describe('engine registry', () => {
  const up = (): EngineAvailability => ({ available: true })
  const down = (): EngineAvailability => ({ available: false, reason: 'it is ill' })
  const create = (...engines: RuntimeEngine[]) => {
    const registry = new EngineRegistry()
    for (const engine of engines) registry.register(engine)
    return registry
  }
  const errorOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: RuntimeError) => error
    )

  it('picks the required engine, and then no other', async () => {
    const registry = create(createEngineCalled('a', up), createEngineCalled('b', down), new MockEngine())
    expect((await registry.pick({ required: 'a', preferred: 'mock' })).name).to.equal('a')
    expect((await registry.pick({ required: 'mock' })).name).to.equal('mock')
    const error = await errorOf(registry.pick({ required: 'b' }))
    expect(error?.code).to.equal('ENGINE_UNAVAILABLE')
    expect(error?.message).to.contain('it is ill')
    expect((await errorOf(registry.pick({ required: 'z' })))?.code).to.equal('ENGINE_NOT_FOUND')
  })

  it('picks the preferred engine, else the first that is available', async () => {
    const registry = create(
      createEngineCalled('a', down),
      createEngineCalled('b', up),
      createEngineCalled('c', up)
    )
    expect((await registry.pick({ preferred: 'c' })).name).to.equal('c')
    expect((await registry.pick({ preferred: 'a' })).name).to.equal('b')
    expect((await registry.pick({ preferred: 'unknown' })).name).to.equal('b')
    expect((await registry.pick()).name).to.equal('b')
  })

  it('never picks the mock beside a real engine, unless it is named', async () => {
    const registry = create(new MockEngine(), createEngineCalled('a', down))
    const error = await errorOf(registry.pick())
    expect(error?.code).to.equal('ENGINE_UNAVAILABLE')
    expect(error?.retryable).to.equal(true)
    expect((await registry.pick({ preferred: 'mock' })).name).to.equal('mock')
    expect((await create(new MockEngine()).pick()).name).to.equal('mock')
  })

  it('asks an engine once in a while, and takes what it throws for an answer', async () => {
    let now = 0
    let asked = 0
    const registry = new EngineRegistry({ now: () => now, cacheMs: 100 })
    registry.register(
      createEngineCalled('a', () => {
        if (++asked === 1) throw new RangeError('broken')
        return { available: true }
      })
    )
    expect(await registry.availability('a')).to.deep.equal({ available: false, reason: 'broken' })
    now = 99
    expect((await registry.availability('a')).available).to.equal(false)
    now = 100
    expect((await registry.availability('a')).available).to.equal(true)
    expect(asked).to.equal(2)
  })

  it('says what there is when there is nothing', async () => {
    expect((await errorOf(create().pick()))?.message).to.equal('no engine is available on this machine')
  })

  it('makes every engine by its name', () => {
    expect(ENGINE_NAMES).to.deep.equal(['podman', 'docker', 'mock'])
    expect(createEngine('podman', { runDir: '/nonexistent' }).name).to.equal('podman')
    expect(createEngine('docker', { runDir: '/nonexistent' }).name).to.equal('docker')
    expect(createEngine('mock', undefined).name).to.equal('mock')
    expect(new Set(RUNTIME_ERROR_CODES).size).to.equal(RUNTIME_ERROR_CODES.length)
  })
})

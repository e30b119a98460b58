import { raceSignal, timeoutSignal } from '../common/index.ts'
import type { Config } from '../config/index.ts'
import { createEngine, EngineRegistry } from '../runtime/index.ts'
import { type NodeLogger, toComponentLogger } from '../telemetry/index.ts'

/** An engine that does not answer in time is not named; it is asked again when a manifest comes. Chosen. */
const ENGINE_ANSWER_MS = 4_000
const NO_ANSWER = { available: false }

/** The one image the mock engine does not have, so that a failing deployment can be tried without an engine. */
const MOCK_MISSING_IMAGE = 'localhost/not-there:1'

/** Every engine there is; which of them work here, {@link availableEngines} says. */
export function createEngines(config: Config, runDir: string, log: NodeLogger): EngineRegistry {
  const components = toComponentLogger(log, config.logLevel)
  const engines = new EngineRegistry()
  engines.register(createEngine('podman', { runDir, logger: components.forComponent('beemesh:podman') }))
  engines.register(createEngine('docker', { runDir, logger: components.forComponent('beemesh:docker') }))
  engines.register(createEngine('mock', { missingImages: [MOCK_MISSING_IMAGE] }))
  if (config.engine === 'mock') log.warn({}, 'engine mock: workloads are only pretended')
  return engines
}

/** What workloads run on unless their manifest says otherwise. */
export function engineName({ engine, role }: Config, available: readonly string[]): string {
  if (role === 'bootstrap') return 'none'
  return engine === 'auto' ? (available[0] ?? 'none') : engine
}

/** Names of engines that work here. The mock always works, so it is only named where it was asked for. */
export async function availableEngines(engines: EngineRegistry, chosen: Config['engine']): Promise<string[]> {
  const answers = await Promise.all(
    (chosen === 'mock' ? ['mock'] : engines.names().filter((name) => name !== 'mock')).map(async (name) => ({
      name,
      ...(await raceSignal(engines.availability(name), timeoutSignal(ENGINE_ANSWER_MS)).catch(
        () => NO_ANSWER
      ))
    }))
  )
  return answers.filter(({ available }) => available).map(({ name }) => name)
}

import { DockerEngine, type DockerEngineInit } from './docker/index.ts'
import { MockEngine, type MockEngineInit } from './mock/index.ts'
import { PodmanEngine, type PodmanEngineInit } from './podman/index.ts'
import type { RuntimeEngine } from './types.ts'

/** What each engine wants to know. */
export interface EngineInits {
  readonly podman: PodmanEngineInit
  readonly docker: DockerEngineInit
  readonly mock: MockEngineInit | undefined
}

export type EngineName = keyof EngineInits

/** The engines there are. A new one is a folder and a line here (and one in {@link EngineInits}). */
const ENGINES: { readonly [Name in EngineName]: (init: EngineInits[Name]) => RuntimeEngine } = {
  podman: (init) => new PodmanEngine(init),
  docker: (init) => new DockerEngine(init),
  mock: (init) => new MockEngine(init)
}

/** Names a person may write, in the order in which a node prefers them. */
export const ENGINE_NAMES = Object.keys(ENGINES) as readonly EngineName[]

/** Makes an engine by name; nothing is started or checked yet. */
export function createEngine<Name extends EngineName>(name: Name, init: EngineInits[Name]): RuntimeEngine {
  return ENGINES[name](init)
}

/**
 * What runs workloads on this machine: one interface, `RuntimeEngine`, a registry that picks an engine, and one folder per engine.
 * It stands apart so that everything above deals with "a workload", and an engine can be added without touching it: write a
 * folder that implements the interface, add one line to `engines.ts`, and run `test/conformance/engine-suite.ts` against it.
 *
 * It never knows a peer, an owner or a replica; it never restarts what ended (the node does, with back-off), never decides whether
 * a pod may run (policy is `manifest`'s), and never starts a shell.
 *
 * @example
 * const registry = new EngineRegistry()
 * registry.register(createEngine('podman', { runDir: '/run/beemesh' }))
 * const engine = await registry.pick({ required: manifest.engine }, { signal })
 * const workload = await engine.deploy({ workloadId: 'web-0', pod, files: [] }, { signal })
 */
export { DockerEngine, type DockerEngineInit, type DockerTimeouts } from './docker/index.ts'
export { createEngine, ENGINE_NAMES, type EngineInits, type EngineName } from './engines.ts'
export { RUNTIME_ERROR_CODES, RuntimeError, type RuntimeErrorCode } from './errors.ts'
export { bootClockMs, Guard, type GuardLease, startTicks } from './guard/index.ts'
export { MockEngine, type MockEngineInit, type MockScript, type MockWorkloadConfig } from './mock/index.ts'
export { PodmanEngine, type PodmanEngineInit, type PodmanTimeouts } from './podman/index.ts'
export {
  AVAILABILITY_CACHE_MS,
  type EngineChoice,
  EngineRegistry,
  type EngineRegistryInit
} from './registry.ts'
export * from './types.ts'

/**
 * An engine that pretends, for tests and for a mesh on one laptop. It answers like a real one (names and ports taken, limits
 * exceeded, containers that end, log lines), from memory and a seeded generator. It stands apart from the real engines because
 * nothing is ever run, and it never touches the disk, the network or another process. It says so in its name, its version and its
 * log lines, and the registry never picks it unless it is named or all there is.
 *
 * @example
 * const engine = new MockEngine({ successRate: 0.9, seed: 7 })
 * await engine.deploy({ workloadId: 'web-0', pod, files: [] })
 * engine.exitContainer('web-0', 'web', 1)
 * (await engine.status('web-0'))?.state // 'failed'
 */
export { MockEngine } from './mock-engine.ts'
export type { MockEngineInit, MockScript, MockWorkloadConfig } from './types.ts'

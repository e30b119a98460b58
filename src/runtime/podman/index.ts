/**
 * Podman (4.3 or newer) as an engine: one `podman kube play` per workload, reads over the socket of a service process of our own.
 * It stands apart because most of it is about what Podman does differently from what it says; each such trap is a comment where it
 * is avoided. Nothing is kept in memory that Podman does not know, so a restarted node finds its workloads again.
 *
 * It never touches a pod it was not asked for by its exact name, never writes to /etc, never uses Podman's own secrets, config
 * maps, probes or restarts, and never starts a shell. Several nodes may share one Podman: give each its own `runDir`, and labels.
 *
 * @example
 * const engine = new PodmanEngine({ runDir: '/run/beemesh' })
 * const { state } = await engine.deploy({ workloadId: 'web-0', pod, files: [] }, { signal: AbortSignal.timeout(60_000) })
 * for await (const { line } of engine.logs('web-0', { tail: 10 })) console.log(line)
 * await engine.remove('web-0', { graceMs: 10_000 })
 * await engine.close() // the workload, had it not been removed, would keep running
 */
export { PodmanEngine } from './podman-engine.ts'
export type { PodmanEngineInit, PodmanTimeouts } from './types.ts'

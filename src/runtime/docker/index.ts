/**
 * The Docker Engine (20.10 or newer) as an engine, over its socket on this machine. Docker knows no pods, so a pod is a holder and its
 * containers: the holder runs a program of our own that only waits (no registry is needed for it), owns network, IPC, ports and
 * volumes, and lives as long as the workload. So a container can end and be started again without the others losing their network,
 * which they would if the first container owned it.
 *
 * It never touches a container, volume or image that it did not make (all carry its labels), never lets Docker restart anything, and
 * never uses a Docker on another machine: files are mounted from this one, and processes are counted here.
 *
 * @example
 * const engine = new DockerEngine({ runDir: '/run/beemesh' }) // DOCKER_HOST, or /var/run/docker.sock
 * const { address } = await engine.deploy({ workloadId: 'web-0', pod, files: [] })
 * await engine.remove('web-0', { graceMs: 10_000 })
 */
export { DockerEngine } from './docker-engine.ts'
export type { DockerEngineInit, DockerTimeouts } from './types.ts'

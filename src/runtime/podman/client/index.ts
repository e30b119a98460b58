/**
 * How this engine talks to Podman: one command (`PodmanCommand`), one service process (`PodmanService`), and one interface for small
 * questions (`PodmanClient`) over either. Never decides anything about a workload.
 *
 * @example
 * const podman = new Podman({ command, socketPath, service: true, idleS: 60, log })
 * const entries = await podman.podContainers('web-0', { signal })
 * await podman.ask((client) => client.removePod(entries[0].Pod, { signal }))
 */
export { PodmanCommand } from './command.ts'
export { isGone, Podman } from './podman.ts'
export type { RestClient } from './rest-client.ts'
export type { PodmanClient } from './types.ts'

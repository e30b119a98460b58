import type { EngineLogger } from '../types.ts'

export interface DockerEngineInit {
  /** Directory of this node for file volumes; as for Podman: stable over restarts, different for each node on a machine. */
  readonly runDir: string
  /** The daemon's Unix socket. @default from $DOCKER_HOST, else {@link DEFAULT_SOCKET_PATH} */
  readonly socketPath?: string
  /** Network of the pods, by its name in Docker. @default 'bridge' */
  readonly network?: string
  readonly logger?: EngineLogger
  /** Deadlines of single calls; those left out are the constants of the same name. */
  readonly timeouts?: Partial<DockerTimeouts>
}

/** How long Docker may take, ms. */
export interface DockerTimeouts {
  /** @default {@link READ_TIMEOUT_MS} */
  readonly readMs: number
  /** Of each step that changes something. @default {@link CHANGE_TIMEOUT_MS} */
  readonly changeMs: number
  /** All init containers of a pod together. @default {@link INIT_TIMEOUT_MS} */
  readonly initMs: number
}

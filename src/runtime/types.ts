import type { Abortable } from '../common/index.ts'

/** A Kubernetes Pod document as plain JSON, already transformed: own name, own labels, explicit ports, limits. */
export interface PodDocument {
  readonly apiVersion: 'v1'
  readonly kind: 'Pod'
  readonly metadata: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: Readonly<Record<string, unknown>> & { readonly containers: readonly PodContainer[] }
}

/** One container of a {@link PodDocument}; fields the engine does not look at pass through. */
export interface PodContainer extends Readonly<Record<string, unknown>> {
  readonly name: string
  readonly image: string
}

/** ConfigMap and Secret content the engine must materialise before it starts the pod. */
export interface FileVolume {
  /** Name of a volume in `pod.spec.volumes`; the engine replaces its source. */
  readonly volume: string
  /** Relative path inside the volume, content, and permission bits (0o400 by default). */
  readonly files: readonly { readonly path: string; readonly content: Uint8Array; readonly mode: number }[]
  /** uid:gid that must be able to read the files; undefined means root. */
  readonly owner?: { readonly uid: number; readonly gid: number }
}

/** Everything an engine needs to start one workload. */
export interface DeployRequest {
  /** Equals `pod.metadata.name`; unique on the engine; matches /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/. */
  readonly workloadId: string
  readonly pod: PodDocument
  readonly files: readonly FileVolume[]
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

export interface EngineContainer {
  /** The name from the manifest, without the engine's prefix. */
  readonly name: string
  readonly state: ContainerState
  readonly exitCode?: number
  readonly startedAtMs?: number
  readonly finishedAtMs?: number
}

export interface EnginePort {
  readonly containerPort: number
  readonly hostPort: number
  readonly hostIp?: string
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
}

/** starting: not all containers run yet; running: all do; stopped: all ended with 0; failed: one ended otherwise or is gone. */
export type EngineWorkloadState = 'starting' | 'running' | 'stopped' | 'failed'

/** What the engine says of one workload. */
export interface EngineWorkload {
  readonly workloadId: string
  readonly state: EngineWorkloadState
  readonly containers: readonly EngineContainer[]
  readonly labels: Readonly<Record<string, string>>
  readonly ports: readonly EnginePort[]
  readonly startedAtMs?: number
  /** The engine's own last words when state is failed. */
  readonly message?: string
}

export interface LogLine {
  readonly container: string
  readonly stream: 'stdout' | 'stderr'
  readonly timestampMs: number
  /** Without the newline, as the container wrote it. */
  readonly line: string
}

export interface LogsOptions extends Abortable {
  /** Keep yielding new lines until the workload ends or the signal fires. @default false */
  readonly follow?: boolean
  /** Only the last n lines per container; undefined means all. */
  readonly tail?: number
  /** Only lines at or after this time, ms since epoch. */
  readonly sinceMs?: number
  /** Only this container; undefined means all. */
  readonly container?: string
}

export interface EngineAvailability {
  readonly available: boolean
  readonly version?: string
  /** Why not, and what to do about it. */
  readonly reason?: string
}

export interface DeployOptions extends Abortable {
  /** Called as deployment proceeds; 'pulling' only when an image is really fetched. */
  readonly onState?: (state: 'pulling' | 'starting') => void
}

export interface RemoveOptions extends Abortable {
  /** SIGTERM, then this long, then SIGKILL. 0 kills at once. */
  readonly graceMs?: number
}

/**
 * What runs workloads. Implementations hold no state the engine itself does not hold, so that a restarted node finds
 * everything again with `list`. Every method may be called concurrently and has its own deadline.
 */
export interface RuntimeEngine {
  /** 'podman', 'docker', 'mock', …: what `beemesh.io/engine` names. */
  readonly name: string
  isAvailable(options?: Abortable): Promise<EngineAvailability>
  /** @throws RuntimeError POD_REFUSED when this engine cannot run the pod as written; starts nothing. */
  validate(pod: PodDocument, options?: Abortable): Promise<void>
  /**
   * Starts the workload and resolves when every container runs. All or nothing: on any failure nothing of it is left.
   * @throws RuntimeError IMAGE_NOT_FOUND, PORT_IN_USE, NAME_IN_USE, START_FAILED, ENGINE_UNAVAILABLE, ENGINE_TIMEOUT; the message
   *   keeps the engine's own last line.
   */
  deploy(request: DeployRequest, options?: DeployOptions): Promise<EngineWorkload>
  /** undefined when the engine does not know the workload. */
  status(workloadId: string, options?: Abortable): Promise<EngineWorkload | undefined>
  /** All workloads that carry every one of these labels. */
  list(
    filter: { readonly labels: Readonly<Record<string, string>> },
    options?: Abortable
  ): Promise<EngineWorkload[]>
  /** @throws RuntimeError WORKLOAD_NOT_FOUND */
  logs(workloadId: string, options?: LogsOptions): AsyncIterable<LogLine>
  /** Removes pod, containers, ports and files; named volumes of claims stay. Repeatable: nothing to remove is success. */
  remove(workloadId: string, options?: RemoveOptions): Promise<void>
  /** Closes what the engine opened (service process, sockets). Workloads keep running. */
  close?(): Promise<void>
}

import type { Abortable } from '../common/index.ts'

/** Where an engine writes one line per thing a person may want to know; a libp2p `Logger` fits. */
export type EngineLogger = (format: string, ...values: unknown[]) => void

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
  /**
   * Volumes of `persistentVolumeClaim` name a volume of the engine by a `claimName` that is unique already: it is made when it is not
   * there, labelled as ours, and stays when the workload goes. Images are pulled by each container's `imagePullPolicy`; left out
   * means IfNotPresent, whatever the tag. `name@sha256:…` may be a manifest's digest or an image's own ID.
   */
  readonly pod: PodDocument
  readonly files: readonly FileVolume[]
  /** Highest number of processes and threads in each container; init containers are not counted. Undefined: the engine's default. */
  readonly pidsLimit?: number
  /** none: no network but loopback. @default the engine's own, with the ports of the pod published */
  readonly network?: 'none'
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

export interface EngineContainer {
  /** The name from the manifest, without the engine's prefix. */
  readonly name: string
  readonly state: ContainerState
  /** 128 + n may mean signal n, or a process that chose that number: engines do not tell these apart. */
  readonly exitCode?: number
  /** What an exit code above 128 stands for, 'SIGKILL' for 137. */
  readonly signal?: string
  /** Once it has ended: whether the kernel killed it for memory. False also where the machine keeps no record of that. */
  readonly oomKilled?: boolean
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
  /** IP address at which this machine reaches every port of the pod, published or not; undefined while it has none. */
  readonly address?: string
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

export interface RestartOptions extends Abortable {
  /** What still runs is stopped first: its stop signal, then this long, then SIGKILL. @default 0 */
  readonly graceMs?: number
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export interface ExecOptions extends Abortable {
  /** @default the first container of the pod */
  readonly container?: string
  /** Program and arguments, as they are: no shell. */
  readonly command: readonly string[]
  /** With a terminal: everything is then 'stdout', with CR LF. @default false */
  readonly tty?: boolean
  /** Its end closes the command's standard input; undefined: there is none. */
  readonly stdin?: AsyncIterable<Uint8Array>
  /** Nothing more is read until its promise resolves, and then the command waits too. What it throws ends the command. */
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void | Promise<void>
  /** Sizes of the terminal, the first as soon as it is known. */
  readonly resizes?: AsyncIterable<TerminalSize>
  /** After this long the command is killed, with EXEC_TIMEOUT. Undefined: no bound. */
  readonly timeoutMs?: number
}

/** What one workload has used: its containers together, without what the engine needs for itself. */
export interface EngineStats {
  readonly workloadId: string
  readonly atMs: number
  /** CPU time since its containers started, so it falls when one is restarted: take rates from what grows. */
  readonly cpuNanos: number
  /** Without file pages that the kernel would give back at once. */
  readonly memoryBytes: number
  /** Sum of the limits; undefined when a container has none. */
  readonly memoryLimitBytes?: number
  /** Of the pod's own network; 0 for a pod in the host's. */
  readonly networkRxBytes: number
  readonly networkTxBytes: number
  readonly blockReadBytes: number
  readonly blockWriteBytes: number
  /** Processes and threads. */
  readonly pids: number
}

/** A process of this machine, named so that its PID cannot mean another one. */
export interface EngineProcess {
  readonly pid: number
  /** When it began, in ticks since boot: field 22 of /proc/PID/stat. */
  readonly startTicks: number
  /** Folder of its cgroup under /sys/fs/cgroup; undefined where it shares it with others. */
  readonly cgroup?: string
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
   * @throws RuntimeError IMAGE_NOT_FOUND, IMAGE_PULL_FAILED, PORT_IN_USE, NAME_IN_USE, START_FAILED, STORAGE_FULL, ENGINE_UNAVAILABLE,
   *   ENGINE_TIMEOUT; the message keeps the engine's own last line.
   */
  deploy(request: DeployRequest, options?: DeployOptions): Promise<EngineWorkload>
  /** undefined when the engine does not know the workload. */
  status(workloadId: string, options?: Abortable): Promise<EngineWorkload | undefined>
  /** All workloads that carry every one of these labels. */
  list(
    filter: { readonly labels: Readonly<Record<string, string>> },
    options?: Abortable
  ): Promise<EngineWorkload[]>
  /**
   * Starts one container of a pod again, in place: same container, so its log goes on, ports and address stay, init containers
   * are not run. Resolves when it runs.
   * @throws RuntimeError WORKLOAD_NOT_FOUND; RESTART_FAILED when only a new deployment helps
   */
  restart(workloadId: string, container: string, options?: RestartOptions): Promise<void>
  /**
   * Runs a command in a container and resolves when it has ended and its output has been taken. An abort kills it, with what it
   * started, and rejects with the signal's reason.
   * @throws RuntimeError WORKLOAD_NOT_FOUND, EXEC_FAILED (not running, no such program), EXEC_TIMEOUT
   */
  exec(workloadId: string, options: ExecOptions): Promise<{ readonly exitCode: number }>
  /** Of these workloads, or of all that this kind of engine made here; those that do not run are left out. */
  stats(workloadIds?: readonly string[], options?: Abortable): Promise<EngineStats[]>
  /** Processes of this machine that everything in the workload ends with; none when it does not run. */
  processes(workloadId: string, options?: Abortable): Promise<EngineProcess[]>
  /** @throws RuntimeError WORKLOAD_NOT_FOUND */
  logs(workloadId: string, options?: LogsOptions): AsyncIterable<LogLine>
  /** Removes pod, containers, ports and files; named volumes of claims stay. Repeatable: nothing to remove is success. */
  remove(workloadId: string, options?: RemoveOptions): Promise<void>
  /**
   * Removes volumes of claims, with what is in them. Repeatable: one that is not there is success.
   * @throws RuntimeError VOLUME_IN_USE, VOLUME_NOT_OURS (made by somebody else under this name)
   */
  removeVolumes(names: readonly string[], options?: Abortable): Promise<void>
  /** Closes what the engine opened (service process, sockets). Workloads keep running. */
  close?(): Promise<void>
}

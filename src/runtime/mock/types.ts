import type {
  DeployRequest,
  EnginePort,
  EngineProcess,
  ExecOptions,
  FileVolume,
  PodContainer
} from '../types.ts'

/** What a pretended container does. */
export interface MockScript {
  /** Lines it writes to stdout when it starts. */
  readonly lines?: readonly string[]
  /** Pretended processes; no more than the pids limit come about. @default 1 */
  readonly processes?: number
  /** Ends at once, killed for its memory. */
  readonly outOfMemory?: boolean
  /** Ends with this code at once; undefined keeps it running until a test or `remove` ends it. */
  readonly exitCode?: number
  /** With `exitCode`: not at once, but so long after it was started. @default 0 */
  readonly endsAfterMs?: number
}

export interface MockEngineInit {
  /** Share of deployments that succeed, 0..1, drawn from a seeded generator. @default 1 */
  readonly successRate?: number
  /** How long a deployment takes, ms. @default 0 */
  readonly delayMs?: number
  /** Whether ports are reported and kept apart. @default true */
  readonly portMapping?: boolean
  /** Memory limits of all workloads together, bytes; undefined means no bound. */
  readonly memoryLimitBytes?: number
  /** CPU limits of all workloads together, thousandths of a core; undefined means no bound. */
  readonly cpuLimitMillis?: number
  /** Seed of the generator behind `successRate`: the same seed fails the same deployments. @default 1 */
  readonly seed?: number
  /** What `isAvailable` says. @default true */
  readonly available?: boolean
  /** Images that are "not there". */
  readonly missingImages?: readonly string[]
  /** First words of `command` (or `args`) that "cannot be started". */
  readonly missingCommands?: readonly string[]
  /** What each container does. @default says one line and keeps running */
  readonly script?: (container: PodContainer) => MockScript
  /** Registries cannot be reached: what would be pulled is not. @default false */
  readonly offline?: boolean
  /** IP address of every workload. @default '127.0.0.1', where nothing answers */
  readonly address?: string
  /** What a command in a container does; its result is the exit code. @default says one line and ends with 0 */
  readonly exec?: (request: DeployRequest, container: string, options: ExecOptions) => Promise<number>
  /** Real processes of a workload, for tests that give it some. @default none */
  readonly processes?: (workloadId: string) => EngineProcess[]
  /** What a workload uses at this moment. @default half of its limits */
  readonly usage?: (request: DeployRequest) => { readonly cpuMillis: number; readonly memoryBytes: number }
  /** Current time, ms. @default Date.now */
  readonly now?: () => number
}

/** What a workload was given, for tests to look at. */
export interface MockWorkloadConfig {
  readonly files: readonly FileVolume[]
  readonly ports: readonly EnginePort[]
  readonly pidsLimit?: number
  readonly labels: Readonly<Record<string, string>>
  /** Sum of the containers' limits; 0 means none is stated. */
  readonly cpuMillis: number
  readonly memoryBytes: number
}

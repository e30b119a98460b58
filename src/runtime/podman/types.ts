import type { EngineLogger } from '../types.ts'

export interface PodmanEngineInit {
  /**
   * Directory of this node for socket, settings and file volumes; made when missing, mode 0700. Keep it stable over restarts
   * (files of running workloads are found again by it) and different for each node on a machine.
   */
  readonly runDir: string
  /**
   * A containers.conf to use instead of the machine's. Undefined: $CONTAINERS_CONF when set; else the machine's own when Podman
   * can work with it; else one is written to `runDir`. '' means the machine's own, whatever that does.
   */
  readonly containersConf?: string
  /** The podman command. @default 'podman', from PATH */
  readonly podmanPath?: string
  /** Whether to keep a `podman system service` for reads (1-3 ms instead of 30). False reads by the
   * command line, and starts that service only for `exec`, which has no other way to a terminal. @default true */
  readonly service?: boolean
  /** Idle time after which that service ends by itself, s. @default {@link SERVICE_IDLE_S} */
  readonly serviceIdleS?: number
  readonly logger?: EngineLogger
  /** Deadlines of single calls; those left out are the constants of the same name. */
  readonly timeouts?: Partial<PodmanTimeouts>
}

/** How long Podman may take, ms. Shorter ones fail sooner when it hangs, and fail for nothing on a slow machine. */
export interface PodmanTimeouts {
  /** @default {@link READ_TIMEOUT_MS} */
  readonly readMs: number
  /** @default {@link PLAY_TIMEOUT_MS}, or {@link PLAY_WITH_INIT_TIMEOUT_MS} for a pod with init containers */
  readonly playMs: number | undefined
  /** Also of a start, and of anything else that changes something. @default {@link REMOVE_TIMEOUT_MS} */
  readonly removeMs: number
}

/** One entry of `podman ps --format json`, the same from the socket. Infra containers included. */
export interface PsEntry {
  readonly Id: string
  readonly Names: readonly string[]
  readonly State: string
  readonly ExitCode: number
  readonly Pid: number
  /** Seconds since epoch. */
  readonly StartedAt: number
  /** Seconds since epoch; year 1 while it runs. */
  readonly ExitedAt: number
  readonly IsInfra: boolean
  /** Seconds since epoch, or a date: Podman has changed its mind. Only compared. */
  readonly Created: number | string
  readonly Networks: readonly string[] | null
  readonly Labels: Readonly<Record<string, string>> | null
  readonly Pod: string
  readonly PodName: string
  readonly Ports:
    | readonly {
        readonly host_ip: string
        readonly container_port: number
        readonly host_port: number
        readonly range: number
        readonly protocol: string
      }[]
    | null
}

/** What we read of `podman pod inspect`. */
export interface PodInspect {
  readonly Id: string
  readonly Name: string
  readonly Labels: Readonly<Record<string, string>> | null
  readonly CgroupPath?: string
  readonly InfraConfig?: { readonly HostNetwork?: boolean }
}

/** What we read of `podman inspect`. */
export interface ContainerInspect {
  readonly Id: string
  readonly State: {
    readonly Status: string
    readonly Pid: number
    readonly ConmonPid: number
    readonly ExitCode: number
    readonly StartedAt: string
    readonly FinishedAt: string
    readonly Error?: string
  }
  /** A number in Podman 4, a name like "SIGTERM" in 5. */
  readonly Config: { readonly StopSignal?: number | string }
  /** Undefined in old versions. */
  readonly ConmonPidFile?: string
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> | null
  }
  readonly HostConfig: { readonly LogConfig: { readonly Type: string; readonly Path: string } }
}

/** Podman's filters: `{ pod: ['web-0'] }`, `{ label: ['app=web', 'io.beemesh.deploy'] }`. */
export type PsFilter = Readonly<Record<string, readonly string[]>>

/** What we read of `podman volume inspect`. */
export interface VolumeInspect {
  readonly Name: string
  readonly Labels: Readonly<Record<string, string>> | null
}

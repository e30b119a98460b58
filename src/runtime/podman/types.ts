/** Where the engine writes one line per thing a person may want to know; a libp2p `Logger` fits. */
export type EngineLogger = (format: string, ...values: unknown[]) => void

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
  /** Whether to keep a `podman system service` for reads (1-3 ms instead of 30). False uses the command line only. @default true */
  readonly service?: boolean
  /** Idle time after which that service ends by itself, s. @default {@link SERVICE_IDLE_S} */
  readonly serviceIdleS?: number
  readonly logger?: EngineLogger
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
  readonly HostConfig: { readonly LogConfig: { readonly Type: string; readonly Path: string } }
}

export interface PsFilter {
  readonly labels?: Readonly<Record<string, string>>
  /** Name of a pod. */
  readonly pod?: string
}

import type { Autoscale } from './autoscale/types.ts'
import type { WORKLOAD_KINDS } from './constants.ts'
import type { PlacementRules } from './placement/types.ts'
import type { CronPlan, JobPlan, Recovery, Rollout } from './plans/types.ts'

/** Kinds that make a manifest; the others get MANIFEST_UNSUPPORTED_KIND or go along with one. */
export type WorkloadKind = keyof typeof WORKLOAD_KINDS

/** A Kubernetes object as plain JSON. */
export interface KubeObject extends Readonly<Record<string, unknown>> {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name: string
    readonly namespace?: string
  }
}

/** Per copy, summed over containers. Zero means not stated. */
export interface ManifestResources {
  readonly cpuMillis: number
  readonly memoryBytes: number
  /** Disk: requests of ephemeral-storage, and the volumes of its claims. Planned with, not enforced. */
  readonly storageBytes: number
}

export type PortProtocol = 'TCP' | 'UDP' | 'SCTP'

export interface ManifestPort {
  readonly container: string
  readonly containerPort: number
  readonly protocol: PortProtocol
  /** As written in the manifest, at the port or as nodePort of a Service; undefined means the node allocates one. */
  readonly hostPort?: number
  readonly hostIp?: string
  readonly name?: string
}

/** A volume that outlives the copy and its versions. */
export interface ManifestClaim {
  /** Name of the PersistentVolumeClaim or of the volumeClaimTemplate. */
  readonly name: string
  /** Whether each ordinal has one of its own, as in a StatefulSet. Else there is at most one copy. */
  readonly perOrdinal: boolean
  /** As asked for; zero where nothing was. */
  readonly sizeBytes: number
}

/** A Service whose selector matches the workload. */
export interface ManifestService {
  readonly name: string
  readonly headless: boolean
  readonly ports: readonly {
    readonly name?: string
    /** What callers use, once traffic is routed. */
    readonly port: number
    readonly containerPort: number
    readonly protocol: PortProtocol
  }[]
}

/** One workload document with what it uses, checked and normalised. Everything but `objects` is computed from them. */
export interface Manifest {
  readonly kind: WorkloadKind
  readonly namespace: string
  readonly name: string
  /** Copies at one time: of a Job its parallelism, of a DaemonSet 1 on each node. */
  readonly replicas: number
  /** A DaemonSet: `replicas` counts for each node and ordinals are always 0. */
  readonly perNode: boolean
  readonly resources: ManifestResources
  readonly ports: readonly ManifestPort[]
  readonly services: readonly ManifestService[]
  readonly claims: readonly ManifestClaim[]
  /** How a newer version takes the place of an older one. */
  readonly rollout: Rollout
  /** Where its copies may run. */
  readonly placement: PlacementRules
  /** What happens when machines are cut off or lost. */
  readonly recovery: Recovery
  /** Job and CronJob only. */
  readonly job?: JobPlan
  /** CronJob only; `job` says what each run does. */
  readonly cron?: CronPlan
  /** Where a HorizontalPodAutoscaler of the file names the workload; `replicas` is then only where it begins. */
  readonly autoscale?: Autoscale
  /** From annotation `beemesh.io/engine`; undefined lets the node choose. */
  readonly engine?: string
  /** By the policy of the node that runs it: no network but loopback. */
  readonly isolated?: boolean
  /** The workload first, then what it refers to, ordered by kind and name. */
  readonly objects: readonly KubeObject[]
}

/** A host port given to one container port of one copy. */
export interface PortAssignment {
  readonly containerPort: number
  readonly protocol: PortProtocol
  readonly hostPort: number
  /** Address to publish on. */
  readonly hostIp: string
}

/** As a node restarts a copy whose containers have ended. */
export type RestartPolicy = 'Always' | 'OnFailure' | 'Never'

/** What makes one running copy of a manifest. */
export interface ToPodOptions {
  /** Name of the pod, a DNS label of at most 63 characters; see workloadName. */
  readonly workloadId: string
  /** Which copy, from 0. A StatefulSet's name, hostname and volumes depend on it. */
  readonly ordinal: number
  /** The node's own labels; they win over the template's. */
  readonly labels: Readonly<Record<string, string>>
  /** The only ports that are published. */
  readonly ports: readonly PortAssignment[]
  /**
   * What names of lasting volumes begin with; needed where the manifest has claims. The same for every version of the
   * manifest and on every start, so that a newer version finds the data: derive it from the manifest ID alone.
   */
  readonly claimPrefix?: string
  /** Which completion of a Job or CronJob this run is for, see completionsOf; needed for those kinds. */
  readonly completion?: number
}

/** Structurally the `PodDocument` of the runtime floor, which this floor may not import. */
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

/** Structurally the `PodContainer` of the runtime floor. */
export interface PodContainer extends Readonly<Record<string, unknown>> {
  readonly name: string
  readonly image: string
}

/** Structurally the `FileVolume` of the runtime floor: content the engine writes to files before it starts the pod. */
export interface FileVolume {
  /** Name of a volume in `pod.spec.volumes`; the engine replaces its source. */
  readonly volume: string
  readonly files: readonly { readonly path: string; readonly content: Uint8Array; readonly mode: number }[]
  readonly owner?: { readonly uid: number; readonly gid: number }
}

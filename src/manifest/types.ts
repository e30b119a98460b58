/** Kinds a node runs now; the others get MANIFEST_UNSUPPORTED_KIND. */
export type WorkloadKind = 'Pod' | 'Deployment'

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
}

export type PortProtocol = 'TCP' | 'UDP' | 'SCTP'

export interface ManifestPort {
  readonly container: string
  readonly containerPort: number
  readonly protocol: PortProtocol
  /** As written in the manifest; undefined means the node allocates one. */
  readonly hostPort?: number
  readonly hostIp?: string
  readonly name?: string
}

/** One workload document with the ConfigMaps and Secrets it uses, checked and normalised. */
export interface Manifest {
  readonly kind: WorkloadKind
  readonly namespace: string
  readonly name: string
  readonly replicas: number
  readonly resources: ManifestResources
  readonly ports: readonly ManifestPort[]
  /** From annotation `beemesh.io/engine`; undefined lets the node choose. */
  readonly engine?: string
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
  /** Which copy, from 0. Nothing in a Pod or Deployment depends on it; kinds with stable copies will. */
  readonly ordinal: number
  /** The node's own labels; they win over the template's. */
  readonly labels: Readonly<Record<string, string>>
  /** The only ports that are published. */
  readonly ports: readonly PortAssignment[]
  /** For containers that state no limit of their own; undefined leaves those without. */
  readonly defaultLimits?: { readonly cpuMillis?: number; readonly memoryBytes?: number }
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

/** Kinds a node runs now; the others get MANIFEST_UNSUPPORTED_KIND. */
export type WorkloadKind = 'Pod' | 'Deployment'

/** A Kubernetes object as plain JSON. */
export interface KubeObject extends Readonly<Record<string, unknown>> {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string; readonly namespace?: string }
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

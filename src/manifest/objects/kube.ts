/**
 * Shapes of validated Kubernetes objects: exactly the fields that the schemas allow and that something here reads.
 * Cast to these only after {@link Manifest} was built, never on what a person or a peer sent.
 */
import type { KubeObject, Manifest } from '../types.ts'

export type Quantity = string | number

export interface KeyRef {
  readonly name: string
  readonly key: string
  readonly optional?: boolean
}

export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: {
    readonly configMapKeyRef?: KeyRef
    readonly secretKeyRef?: KeyRef
    readonly fieldRef?: { readonly fieldPath: 'metadata.name' | 'metadata.namespace' }
  }
}

export interface EnvFromSource {
  readonly prefix?: string
  readonly configMapRef?: { readonly name: string; readonly optional?: boolean }
  readonly secretRef?: { readonly name: string; readonly optional?: boolean }
}

export interface ContainerPort {
  readonly containerPort: number
  readonly hostPort?: number
  readonly hostIP?: string
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
  readonly name?: string
}

export interface SecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly [field: string]: unknown
}

export interface VolumeMount {
  readonly name: string
  readonly mountPath: string
  readonly readOnly?: boolean
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never'
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly env?: readonly EnvVar[]
  readonly envFrom?: readonly EnvFromSource[]
  readonly ports?: readonly ContainerPort[]
  readonly resources?: {
    readonly limits?: { readonly cpu?: Quantity; readonly memory?: Quantity }
    readonly requests?: { readonly cpu?: Quantity; readonly memory?: Quantity }
  }
  readonly volumeMounts?: readonly VolumeMount[]
  readonly securityContext?: SecurityContext
}

interface VolumeSource {
  readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[]
  readonly defaultMode?: number
  readonly optional?: boolean
}

export interface Volume {
  readonly name: string
  readonly emptyDir?: { readonly medium?: '' | 'Memory'; readonly sizeLimit?: Quantity }
  readonly configMap?: VolumeSource & { readonly name: string }
  readonly secret?: VolumeSource & { readonly secretName: string }
}

export interface PodSpec {
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes?: readonly Volume[]
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never'
  readonly terminationGracePeriodSeconds?: number
  readonly hostname?: string
  readonly hostAliases?: readonly Readonly<Record<string, unknown>>[]
  readonly dnsConfig?: Readonly<Record<string, unknown>>
  readonly securityContext?: SecurityContext
}

export interface PodTemplate {
  readonly labels: Readonly<Record<string, string>>
  readonly spec: PodSpec
}

/** Labels and spec of the pods of a validated workload object. */
export function podTemplateOf(workload: KubeObject): PodTemplate {
  const owner = workload as unknown as { metadata: { labels?: PodTemplate['labels'] }; spec: PodSpec }
  if (workload.kind === 'Pod') return { labels: owner.metadata.labels ?? {}, spec: owner.spec }
  const { template } = workload.spec as {
    template: { metadata?: { labels?: PodTemplate['labels'] }; spec: PodSpec }
  }
  return { labels: template.metadata?.labels ?? {}, spec: template.spec }
}

/** The workload object of a manifest, which comes first in `objects`. */
export function workloadOf(manifest: Pick<Manifest, 'objects'>): KubeObject {
  return manifest.objects[0] as KubeObject
}

/** A ConfigMap or Secret of a manifest by name. */
export function findConfig(
  objects: readonly KubeObject[],
  kind: 'ConfigMap' | 'Secret',
  name: string
): KubeObject | undefined {
  return objects.find((one) => one.kind === kind && one.metadata.name === name)
}

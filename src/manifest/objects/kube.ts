/**
 * Shapes of validated Kubernetes objects: exactly the fields that the schemas allow and that something here reads.
 * Cast to these only after {@link Manifest} was built, never on what a person or a peer sent.
 */
import type { KubeObject, Manifest } from '../types.ts'
import { asRecord, type JsonRecord } from './json.ts'

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
    readonly fieldRef?: { readonly fieldPath: string }
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
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] }
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
    readonly requests?: {
      readonly cpu?: Quantity
      readonly memory?: Quantity
      readonly 'ephemeral-storage'?: Quantity
    }
  }
  readonly volumeMounts?: readonly VolumeMount[]
  readonly securityContext?: SecurityContext
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
}

export interface Probe {
  readonly exec?: { readonly command: readonly string[] }
  readonly httpGet?: {
    readonly path?: string
    readonly port: number | string
    readonly scheme?: 'HTTP' | 'HTTPS'
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
  }
  readonly tcpSocket?: { readonly port: number | string }
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly successThreshold?: number
  readonly failureThreshold?: number
  readonly terminationGracePeriodSeconds?: number
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
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly?: boolean }
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
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: PodSpec
}

export interface PersistentVolumeClaim {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly resources?: { readonly requests?: { readonly storage?: Quantity } }
  }
}

export interface ServicePort {
  readonly name?: string
  readonly port: number
  readonly targetPort?: number | string
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
  readonly nodePort?: number
}

export interface Service {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: {
    readonly selector: Readonly<Record<string, string>>
    readonly clusterIP?: string
    readonly ports: readonly ServicePort[]
  }
}

/** Where the pod's spec is in a workload of this kind. */
export function podSpecPath(kind: string): string {
  if (kind === 'Pod') return 'spec'
  return kind === 'CronJob' ? 'spec.jobTemplate.spec.template.spec' : 'spec.template.spec'
}

/** The spec of a Job, or of the Job in a CronJob; undefined for other kinds. Takes unchecked data. */
export function jobSpecOf({
  kind,
  spec
}: {
  readonly kind?: unknown
  readonly spec?: unknown
}): JsonRecord | undefined {
  if (kind === 'Job') return asRecord(spec)
  return kind === 'CronJob' ? asRecord(asRecord(asRecord(spec).jobTemplate).spec) : undefined
}

/** Labels, annotations and spec of the pods of a validated workload object. */
export function podTemplateOf(workload: KubeObject): PodTemplate {
  const spec = jobSpecOf(workload) ?? workload.spec
  const owner = workload.kind === 'Pod' ? workload : (spec as { readonly template: object }).template
  const { metadata = {}, spec: pod } = owner as {
    readonly metadata?: Partial<Pick<PodTemplate, 'labels' | 'annotations'>>
    readonly spec: PodSpec
  }
  return { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {}, spec: pod }
}

/** volumeClaimTemplates of a validated workload object; none for other kinds than a StatefulSet. */
export function claimTemplatesOf(workload: KubeObject): readonly PersistentVolumeClaim[] {
  if (workload.kind !== 'StatefulSet') return []
  return (asRecord(workload.spec).volumeClaimTemplates ?? []) as readonly PersistentVolumeClaim[]
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

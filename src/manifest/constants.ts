/** Largest manifest text, and largest canonical form, in bytes. Source: ARCHITECTURE.md section 7. */
export const MAX_MANIFEST_BYTES = 64 * 1024
/** Documents in one file, items of a List counted each. Source: facts/crypto.md section 7.1 (50,000 separators take 1.5 s). */
export const MAX_DOCUMENTS = 16
/** Values in one file, containers and scalars alike. Source: facts/crypto.md section 7.1. */
export const MAX_NODES = 20_000
/** Nesting of one document. A Deployment's deepest field is at 12. Source: facts/crypto.md section 7.1. */
export const MAX_DEPTH = 32
/** Violations in one error; the rest is counted. Chosen: more than a screen helps nobody. */
export const MAX_VIOLATIONS = 50
/** Smallest cpu limit: a CFS quota of 1 ms in a period of 100 ms, the least that Linux takes. */
export const MIN_CPU_LIMIT_MILLIS = 10
/** Smallest memory limit, as Docker has it; with less a container does not even start. */
export const MIN_MEMORY_LIMIT_BYTES = 6 * 1024 * 1024
/** Largest amount of a resource, in millicores or bytes. Chosen: 2^50 stays exact when 16 are added up. */
export const MAX_QUANTITY = 2 ** 50
/** Environment, command and arguments of one container after `$(NAME)` is replaced. Linux takes 128 KiB for one string and 2 MiB for all; chosen. */
export const MAX_EXPANDED_BYTES = 128 * 1024
/** Permission bits of a ConfigMap's files where none are written; they hold no secret. */
export const DEFAULT_CONFIG_MAP_MODE = 0o444
/** Permission bits of a Secret's files where none are written. Tighter than Kubernetes' 0644. */
export const DEFAULT_SECRET_MODE = 0o400
/** Between SIGTERM and SIGKILL where a manifest says nothing, in ms. Chosen: as Podman and Docker; Kubernetes has 30 s. */
export const DEFAULT_TERMINATION_GRACE_MS = 10_000
/** Namespace of documents that name none, unless the caller has another. */
export const DEFAULT_NAMESPACE = 'default'
/** Annotation that names the engine. */
export const ENGINE_ANNOTATION = 'beemesh.io/engine'
/** What an engine may be called. */
export const ENGINE_PATTERN = /^[a-z][a-z0-9-]{0,31}$/
/** DNS label: names of workloads and namespaces. Source: RFC 1123 section 2.1. */
export const DNS_LABEL_PATTERN = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/

/** Kinds that a node runs or that go along with what it runs, with the API version each must have. */
export const SUPPORTED_KINDS: Readonly<Record<string, string>> = {
  Pod: 'v1',
  Deployment: 'apps/v1',
  ConfigMap: 'v1',
  Secret: 'v1'
}

/** Why other kinds are refused, by kind. The generated docs print this table. */
export const REFUSED_KINDS: Readonly<Record<string, string>> = {
  StatefulSet: 'StatefulSet is not supported yet: it comes with a later version',
  DaemonSet: 'DaemonSet is not supported yet: it comes with a later version',
  Job: 'Job is not supported yet: it comes with a later version',
  CronJob: 'CronJob is not supported yet: it comes with a later version',
  Service:
    'Service is not supported yet: it comes with a later version; ports of the workload are published on its machine',
  PersistentVolumeClaim: 'PersistentVolumeClaim is not supported yet: it comes with a later version',
  ReplicaSet: 'ReplicaSet is not supported: write a Deployment',
  ReplicationController: 'ReplicationController is not supported: write a Deployment',
  Namespace: 'Namespace needs no document: a namespace exists as soon as a workload names it',
  Ingress: 'Ingress is not supported: publish a port of the workload with hostPort',
  ServiceAccount: 'ServiceAccount is not supported: there is no Kubernetes API to give a token for',
  HorizontalPodAutoscaler: 'HorizontalPodAutoscaler is not supported: write replicas'
}

/** Largest canonical form of one manifest with what it uses, in bytes. Source: ARCHITECTURE.md section 7. */
export const MAX_MANIFEST_BYTES = 64 * 1024
/** Largest text of one file, which may hold several manifests. Chosen: what people write by hand is below, dumps of a cluster above. */
export const MAX_FILE_BYTES = 256 * 1024
/**
 * Documents in one file, items of a List counted each. Chosen: demos of a dozen services have 40. 50,000 separators take
 * 1.5 s (facts/crypto.md section 7.1).
 */
export const MAX_DOCUMENTS = 100
/** Values in one file, containers and scalars alike. Source: facts/crypto.md section 7.1. */
export const MAX_NODES = 20_000
/**
 * Items of one list. The longest that a schema allows has 256. Chosen, with room: the schema validator collects errors in a time that grows with
 * the square of the items, and 19,000 empty containers, 57 KB, kept a node busy for 1.8 s (measured 2026-11-21).
 */
export const MAX_ITEMS = 1_000
/** Copies of one manifest. Source: schemas/manifest/deployment.schema.json and its like; facts on limits. */
export const MAX_REPLICAS = 50
/** Nesting of one document. A Deployment's deepest field is at 12. Source: facts/crypto.md section 7.1. */
export const MAX_DEPTH = 32
/** Violations in one error; the rest is counted. Chosen: more than a screen helps nobody. */
export const MAX_VIOLATIONS = 50
/** Violations after which no more are looked for: they add nothing to what a person reads, and each takes time. Chosen. */
export const MAX_COLLECTED = 1_000
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

/** Annotations of a workload that say how it recovers and what it may use. Source: ARCHITECTURE.md section 3; docs/MANIFESTS.md. */
export const PIDS_LIMIT_ANNOTATION = 'beemesh.io/pids-limit'
export const ON_PARTITION_ANNOTATION = 'beemesh.io/on-partition'
export const ON_NODE_LOSS_ANNOTATION = 'beemesh.io/on-node-loss'
/** Set by `beemesh restart`: another value is another version whose copies are all new. */
export const RESTARTED_AT_ANNOTATION = 'beemesh.io/restarted-at'
/** Annotations of a workload that say where its copies run. Source: docs/MANIFESTS.md. */
export const STRATEGY_ANNOTATION = 'beemesh.io/strategy'
export const NODES_ANNOTATION = 'beemesh.io/nodes'
export const PRIORITY_ANNOTATION = 'beemesh.io/priority'
/** How nodes are chosen among those that may. */
export const STRATEGIES = ['auto', 'spread', 'manual', 'datacenter', 'binpack'] as const
/** Nodes that one workload may name. Chosen: 64 names of 63 letters take half of {@link MAX_RULES_BYTES}. */
export const MAX_NAMED_NODES = 64
/** Priority that a person may write, either way. Source: Kubernetes' user-defined priority classes. */
export const MAX_PRIORITY = 1_000_000_000
/** Kubernetes' two own classes. Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/ */
export const PRIORITY_CLASSES: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000
}
/** Largest placement rules, in canonical form, bytes. They stand in clear in every record. Chosen. */
export const MAX_RULES_BYTES = 8 * 1024
/** Label under which a taint of a node travels: `<prefix><key>` = `value:Effect`. */
export const TAINT_LABEL_PREFIX = 'taint.beemesh.io/'
/** Label that says that a node has an engine: `<prefix><engine>` = `true`. */
export const ENGINE_LABEL_PREFIX = 'engine.beemesh.io/'
/** Labels of nodes that Kubernetes knows. Source: https://kubernetes.io/docs/reference/labels-annotations-taints/ */
export const HOSTNAME_LABEL = 'kubernetes.io/hostname'
export const REGION_LABEL = 'topology.kubernetes.io/region'
export const ZONE_LABEL = 'topology.kubernetes.io/zone'
/** Largest pids limit: Linux' own pid_max on most machines. */
export const MAX_PIDS_LIMIT = 32_768

/** Kinds that make a manifest, with the API version each must have. */
export const WORKLOAD_KINDS = {
  Pod: 'v1',
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1'
} as const

/** Kinds that a node runs or that go along with what it runs, with the API version each must have. */
export const SUPPORTED_KINDS: Readonly<Record<string, string>> = {
  ...WORKLOAD_KINDS,
  ConfigMap: 'v1',
  Secret: 'v1',
  PersistentVolumeClaim: 'v1',
  Service: 'v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  Namespace: 'v1'
}

const NO_KUBERNETES_API = 'there is no Kubernetes API to have rights in; leave it out'
const NO_CONTROLLER =
  'it belongs to a controller in a Kubernetes cluster, which nodes do not run; leave it out'
const NO_INGRESS = 'publish a port of the workload with hostPort, or a Service of type NodePort'

/** Why other kinds are refused, by kind: what to do instead. The generated docs print this table. */
export const REFUSED_KINDS: Readonly<Record<string, string>> = {
  ReplicaSet: 'ReplicaSet is not supported: write a Deployment',
  ReplicationController: 'ReplicationController is not supported: write a Deployment',
  PersistentVolume: 'PersistentVolume is not supported: a PersistentVolumeClaim makes its own volume',
  StorageClass: 'StorageClass is not supported: every volume is a directory on its machine',
  Ingress: `Ingress is not supported: ${NO_INGRESS}`,
  IngressClass: `IngressClass is not supported: ${NO_INGRESS}`,
  Gateway: `Gateway is not supported: ${NO_INGRESS}`,
  HTTPRoute: `HTTPRoute is not supported: ${NO_INGRESS}`,
  Endpoints: 'Endpoints is not supported: a Service finds its workload by selector',
  EndpointSlice: 'EndpointSlice is not supported: a Service finds its workload by selector',
  NetworkPolicy: 'NetworkPolicy is not supported: nodes do not filter traffic between workloads yet',
  ServiceAccount: `ServiceAccount is not supported: ${NO_KUBERNETES_API}`,
  Role: `Role is not supported: ${NO_KUBERNETES_API}`,
  RoleBinding: `RoleBinding is not supported: ${NO_KUBERNETES_API}`,
  ClusterRole: `ClusterRole is not supported: ${NO_KUBERNETES_API}`,
  ClusterRoleBinding: `ClusterRoleBinding is not supported: ${NO_KUBERNETES_API}`,
  CustomResourceDefinition: `CustomResourceDefinition is not supported: ${NO_CONTROLLER}`,
  ValidatingWebhookConfiguration: `ValidatingWebhookConfiguration is not supported: ${NO_CONTROLLER}`,
  MutatingWebhookConfiguration: `MutatingWebhookConfiguration is not supported: ${NO_CONTROLLER}`,
  PodDisruptionBudget:
    'PodDisruptionBudget is not supported: maxUnavailable of the rollout says how many may be missing',
  PriorityClass: 'PriorityClass is not supported: write its number in annotation beemesh.io/priority',
  LimitRange: 'LimitRange is not supported: write resources at each container',
  ResourceQuota: 'ResourceQuota is not supported: a node has its own limits for each owner',
  Kustomization: 'Kustomization is no object of a cluster: apply what `kustomize build` prints'
}

import { DEFAULT_TERMINATION_GRACE_MS, DNS_LABEL_PATTERN } from '../constants.ts'
import { ManifestError } from '../errors.ts'
import { amountsOf } from '../objects/amounts.ts'
import { type Container, type PodSpec, podTemplateOf, workloadOf } from '../objects/kube.ts'
import type {
  FileVolume,
  Manifest,
  PodContainer,
  PodDocument,
  PortAssignment,
  RestartPolicy,
  ToPodOptions
} from '../types.ts'
import { type CopyFacts, resolveProcess } from './environment.ts'
import { probesOf } from './probes.ts'
import { type TransformedVolumes, transformVolumes } from './volumes.ts'

/**
 * One copy of a manifest as a plain v1 Pod that every engine runs the same way: own name, labels and volumes; only the
 * assigned ports; references filled in; limits written; restarts left to the node. Pure; the result shares no buffer
 * with the manifest. It holds Secrets in clear: hand it to the engine and nowhere else.
 * @throws ManifestError MANIFEST_ARGUMENT for a bad workload ID, a port the manifest does not declare, claims without a
 *   claimPrefix, or a Job without a completion; MANIFEST_TOO_LARGE when the filled-in environment is
 */
export function toPod(manifest: Manifest, options: ToPodOptions): { pod: PodDocument; files: FileVolume[] } {
  const { workloadId, labels } = options
  assertArguments(manifest, options)
  const template = podTemplateOf(workloadOf(manifest))
  const volumes = transformVolumes(manifest, template.spec, options)
  const facts = factsOf(manifest, options)
  const container = (one: Container, ports: readonly PortAssignment[]) =>
    transformContainer(manifest, one, { volumes, facts, ...options, ports })
  const { initContainers, containers, hostAliases, dnsConfig, securityContext } = template.spec
  const hostname = template.spec.hostname ?? (manifest.kind === 'StatefulSet' ? facts.podName : undefined)
  const pod: PodDocument = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: workloadId, labels: { ...template.labels, ...labels } },
    spec: {
      // because engines restart without back-off, 49 times in 5 s: the node restarts instead
      restartPolicy: 'Never',
      ...defined({ hostname, hostAliases, dnsConfig, securityContext: strip(securityContext) }),
      terminationGracePeriodSeconds: terminationGraceMsOf(manifest) / 1000,
      ...(initContainers === undefined
        ? {}
        : { initContainers: initContainers.map((one) => container(one, [])) }),
      containers: containers.map((one) => container(one, options.ports)),
      ...(volumes.volumes.length === 0 ? {} : { volumes: volumes.volumes })
    }
  }
  return { pod, files: [...volumes.files] }
}

/**
 * Checks that {@link toPod} will work for this manifest on any node.
 * @throws ManifestError MANIFEST_TOO_LARGE
 */
export function assertExpands(manifest: Manifest): void {
  const { spec } = podTemplateOf(workloadOf(manifest))
  const facts = factsOf(manifest, { workloadId: 'x'.repeat(63), ordinal: 0, completion: 0 })
  for (const one of [...(spec.initContainers ?? []), ...spec.containers]) resolveProcess(manifest, one, facts)
  probesOf(manifest)
}

/** What a copy is called and what is written on it; the names of an ordinal as Kubernetes has them. */
function factsOf(
  manifest: Manifest,
  { workloadId, ordinal, completion }: Pick<ToPodOptions, 'workloadId' | 'ordinal' | 'completion'>
): CopyFacts {
  const { labels, annotations } = podTemplateOf(workloadOf(manifest))
  const ordinalName = `${manifest.name}-${ordinal}`
  if (manifest.kind === 'StatefulSet')
    return {
      podName: ordinalName,
      annotations,
      labels: {
        'apps.kubernetes.io/pod-index': String(ordinal),
        'statefulset.kubernetes.io/pod-name': ordinalName,
        ...labels
      }
    }
  if (manifest.job?.indexed !== true) return { podName: workloadId, labels, annotations }
  const index = { 'batch.kubernetes.io/job-completion-index': String(completion) }
  return {
    podName: workloadId,
    labels: { ...index, ...labels },
    annotations: { ...index, ...annotations },
    completion
  }
}

/** What the manifest says of restarts, for the node to do: `Always`, except in a Pod and in Jobs. */
export function restartPolicyOf(manifest: Manifest): RestartPolicy {
  return specOf(manifest).restartPolicy ?? 'Always'
}

/** Between SIGTERM and SIGKILL, in ms. */
export function terminationGraceMsOf(manifest: Manifest): number {
  const seconds = specOf(manifest).terminationGracePeriodSeconds
  return seconds === undefined ? DEFAULT_TERMINATION_GRACE_MS : seconds * 1000
}

function specOf(manifest: Manifest): PodSpec {
  return podTemplateOf(workloadOf(manifest)).spec
}

function assertArguments(manifest: Manifest, { workloadId, ordinal, ports, completion }: ToPodOptions): void {
  if (!DNS_LABEL_PATTERN.test(workloadId))
    throw new ManifestError(
      'MANIFEST_ARGUMENT',
      'the workload ID must be a DNS label of at most 63 characters'
    )
  if (!Number.isSafeInteger(ordinal) || ordinal < 0)
    throw new ManifestError('MANIFEST_ARGUMENT', 'the ordinal must be a whole number from 0')
  const { job } = manifest
  if (
    job !== undefined &&
    !(Number.isSafeInteger(completion) && completion! >= 0 && completion! < job.completions)
  )
    throw new ManifestError(
      'MANIFEST_ARGUMENT',
      `a run of a ${manifest.kind} needs the number of its completion, from 0 to ${job.completions - 1}`
    )
  for (const port of ports)
    if (!manifest.ports.some((declared) => isSamePort(declared, port)))
      throw new ManifestError(
        'MANIFEST_ARGUMENT',
        `port ${port.containerPort}/${port.protocol} of ${manifest.name} was assigned but is not declared`
      )
}

type PortKey = Pick<PortAssignment, 'containerPort' | 'protocol'>

function isSamePort(a: PortKey, b: PortKey): boolean {
  return a.containerPort === b.containerPort && a.protocol === b.protocol
}

interface ContainerOptions extends ToPodOptions {
  readonly volumes: TransformedVolumes
  readonly facts: CopyFacts
}

function transformContainer(
  manifest: Manifest,
  container: Container,
  options: ContainerOptions
): PodContainer {
  const { name, image, imagePullPolicy, workingDir, securityContext } = container
  // because Podman publishes a containerPort without hostPort on all addresses, only assigned ports are left
  const ports = manifest.ports
    .filter((declared) => declared.container === name)
    .flatMap(({ containerPort, protocol, name: portName }) =>
      options.ports
        .filter((assigned) => isSamePort(assigned, { containerPort, protocol }))
        .map(({ hostPort, hostIp }) =>
          defined({ containerPort, protocol, hostPort, hostIP: hostIp, name: portName })
        )
    )
  return {
    name,
    image,
    imagePullPolicy: imagePullPolicy ?? defaultPullPolicy(image),
    ...resolveProcess(manifest, container, options.facts),
    ...defined({
      workingDir,
      securityContext: strip(securityContext),
      volumeMounts: options.volumes.mountsOf(container),
      ports: ports.length === 0 ? undefined : ports
    }),
    resources: transformResources(container)
  }
}

/** As Kubernetes: a tag that moves is looked up each time. */
function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent'
  const [, tag = 'latest'] = image.slice(image.lastIndexOf('/') + 1).split(':')
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

function transformResources(container: Container): Record<string, unknown> {
  const [limits, requests] = (['limits', 'requests'] as const).map((group) => amountsOf(container, group))
  return defined({ limits: quantities(limits!), requests: quantities(requests!) })
}

function quantities(amounts: {
  readonly cpuMillis: number | undefined
  readonly memoryBytes: number | undefined
}): Readonly<Record<string, unknown>> | undefined {
  const { cpuMillis, memoryBytes } = amounts
  const written = defined({
    cpu: cpuMillis === undefined ? undefined : `${cpuMillis}m`,
    memory: memoryBytes === undefined ? undefined : String(memoryBytes)
  })
  return Object.keys(written).length === 0 ? undefined : written
}

/** What an engine enforces; runAsNonRoot, fsGroup and the default seccomp profile hold by construction. */
function strip(context: PodSpec['securityContext']): Readonly<Record<string, unknown>> | undefined {
  if (context === undefined) return undefined
  const { runAsNonRoot, seccompProfile, privileged, procMount, fsGroup, fsGroupChangePolicy, ...rest } =
    context
  const { drop } = rest.capabilities ?? {}
  // because engines take it in capitals only
  return drop === undefined
    ? rest
    : { ...rest, capabilities: { ...rest.capabilities, drop: drop.map((name) => name.toUpperCase()) } }
}

/** Without the fields that are undefined. */
function defined(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

import type Docker from 'dockerode'
import { parseQuantity } from '../../parts/index.ts'
import { hostPortsOf } from '../../pod-fields.ts'
import type { PodContainer, PodDocument } from '../../types.ts'
import {
  CONTAINER_LABEL,
  CONTAINERS_LABEL,
  DEPLOY_LABEL,
  HOLDER_IMAGE,
  HOLDER_VOLUMES,
  INIT_LABEL,
  LOG_OPTIONS,
  WORKLOAD_LABEL
} from '../constants.ts'
import { type PodMount, type Source, toMount } from './pod-plan.ts'

interface SecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly supplementalGroups?: readonly number[]
  readonly fsGroup?: number
  readonly privileged?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
}

export interface ConfigParts {
  readonly deployId: string
  readonly network: string
  readonly sources: ReadonlyMap<string, Source>
  readonly images: ReadonlyMap<string, string>
  readonly pidsLimit: number | undefined
}

/** A name that nothing else has: an ID has no dot. With a prefix, because Docker wants two characters. */
export function dockerName(workloadId: string, container?: string): string {
  return container === undefined ? `beemesh.${workloadId}` : `beemesh.${workloadId}.${container}`
}

/** The holder: network, ports, names and addresses of the pod, and its volumes. */
export function toHolder(pod: PodDocument, parts: ConfigParts): Docker.ContainerCreateOptions {
  const { name, labels } = pod.metadata
  const { hostname, hostAliases, dnsConfig, hostNetwork } = pod.spec as {
    readonly hostname?: string
    readonly hostNetwork?: boolean
    readonly hostAliases?: readonly { readonly ip: string; readonly hostnames?: readonly string[] }[]
    readonly dnsConfig?: {
      readonly nameservers?: readonly string[]
      readonly searches?: readonly string[]
      readonly options?: readonly { readonly name: string; readonly value?: string }[]
    }
  }
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  const exposed: Record<string, object> = {}
  for (const { containerPort, hostPort, hostIp = '', protocol } of hostNetwork ? [] : hostPortsOf(pod)) {
    const key = `${containerPort}/${protocol.toLowerCase()}`
    exposed[key] = {}
    bindings[key] = [...(bindings[key] ?? []), { HostIp: hostIp, HostPort: String(hostPort) }]
  }
  const volumes = [...parts.sources].filter(([, { type }]) => type === 'volume')
  const names = pod.spec.containers.map((container) => container.name).join(',')
  return {
    name: dockerName(name),
    Image: HOLDER_IMAGE,
    ...(hostNetwork ? {} : { Hostname: hostname ?? name }),
    ExposedPorts: exposed,
    Labels: {
      ...labels,
      [WORKLOAD_LABEL]: name,
      [DEPLOY_LABEL]: parts.deployId,
      [CONTAINERS_LABEL]: names
    },
    HostConfig: {
      NetworkMode: hostNetwork ? 'host' : parts.network,
      IpcMode: 'shareable',
      PortBindings: bindings,
      ExtraHosts: (hostAliases ?? []).flatMap(({ ip, hostnames = [] }) =>
        hostnames.map((host) => `${host}:${ip}`)
      ),
      Dns: [...(dnsConfig?.nameservers ?? [])],
      DnsSearch: [...(dnsConfig?.searches ?? [])],
      DnsOptions: (dnsConfig?.options ?? []).map((one) =>
        one.value === undefined ? one.name : `${one.name}:${one.value}`
      ),
      Mounts: volumes.map(([volume, source]) =>
        toMount({ ...source, readOnly: false }, { name: volume, mountPath: `${HOLDER_VOLUMES}/${volume}` })
      ),
      CapDrop: ['ALL'],
      ReadonlyRootfs: false, // because Docker refuses to unpack into one, volumes included
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'none', Config: {} }
    }
  }
}

/** One container of the pod, in the holder's namespaces. */
export function toContainer(
  pod: PodDocument,
  container: PodContainer,
  parts: ConfigParts,
  role: 'init' | 'main'
): Docker.ContainerCreateOptions {
  const { name } = pod.metadata
  const context = {
    ...(pod.spec.securityContext as object),
    ...(container.securityContext as object)
  } as SecurityContext
  const { limits, requests } = (container.resources ?? {}) as {
    limits?: Record<string, unknown>
    requests?: Record<string, unknown>
  }
  const memory = parseQuantity(limits?.memory)
  const reservation = parseQuantity(requests?.memory)
  const cpu = parseQuantity(limits?.cpu)
  const env = (container.env as readonly { name: string; value?: string }[] | undefined) ?? []
  const mounts = (container.volumeMounts as readonly PodMount[] | undefined) ?? []
  const command = container.command as readonly string[] | undefined
  const args = container.args as readonly string[] | undefined
  const { runAsUser, runAsGroup } = context
  const groups = [
    ...(context.supplementalGroups ?? []),
    ...(context.fsGroup === undefined ? [] : [context.fsGroup])
  ]
  const user = runAsGroup === undefined ? String(runAsUser) : `${runAsUser ?? 0}:${runAsGroup}`
  return {
    name: dockerName(name, container.name),
    Image: parts.images.get(container.image) ?? container.image,
    ...(command === undefined ? {} : { Entrypoint: [...command] }),
    ...(args === undefined ? {} : { Cmd: [...args] }),
    ...(runAsUser === undefined && runAsGroup === undefined ? {} : { User: user }),
    ...(container.workingDir === undefined ? {} : { WorkingDir: String(container.workingDir) }),
    Env: env.map((one) => `${one.name}=${one.value ?? ''}`),
    Labels: {
      ...pod.metadata.labels,
      [WORKLOAD_LABEL]: name,
      [DEPLOY_LABEL]: parts.deployId,
      [CONTAINER_LABEL]: container.name,
      ...(role === 'init' ? { [INIT_LABEL]: 'true' } : {})
    },
    HostConfig: {
      NetworkMode: `container:${dockerName(name)}`,
      IpcMode: `container:${dockerName(name)}`,
      Mounts: mounts.map((mount) => toMount(parts.sources.get(mount.name)!, mount)),
      // because Docker would allow as much swap again
      ...(memory === undefined ? {} : { Memory: Math.ceil(memory), MemorySwap: Math.ceil(memory) }),
      ...(reservation === undefined ? {} : { MemoryReservation: Math.ceil(reservation) }),
      ...(cpu === undefined ? {} : { NanoCpus: Math.round(cpu * 1e9) }),
      ...(parts.pidsLimit === undefined || role === 'init' ? {} : { PidsLimit: parts.pidsLimit }),
      ReadonlyRootfs: context.readOnlyRootFilesystem === true,
      Privileged: context.privileged === true,
      CapAdd: [...(context.capabilities?.add ?? [])],
      CapDrop: [...(context.capabilities?.drop ?? [])],
      GroupAdd: groups.map(String),
      SecurityOpt: context.allowPrivilegeEscalation === false ? ['no-new-privileges'] : [],
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { ...LOG_OPTIONS } }
    }
  }
}

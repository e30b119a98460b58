import type { Abortable } from '../../../common/index.ts'
import type { KernelLog } from '../../parts/index.ts'
import type { ContainerState, EngineContainer, EnginePort, EngineWorkload } from '../../types.ts'
import { describeEnd, SIGKILL_EXIT, toEnd, toWorkloadState } from '../../workload-state.ts'
import {
  CONTAINER_LABEL,
  CONTAINERS_LABEL,
  INIT_LABEL,
  OWN_LABEL_NAMES,
  WORKLOAD_LABEL
} from '../constants.ts'
import type { DockerClient, Found, Inspected } from '../docker-client.ts'

const STATES: Readonly<Record<string, ContainerState>> = {
  created: 'created',
  running: 'running',
  paused: 'running',
  restarting: 'running',
  removing: 'exited',
  exited: 'exited',
  dead: 'exited'
}

export interface StatusContext {
  readonly client: DockerClient
  readonly kernelLog: KernelLog
}

/** One workload; undefined when Docker has no holder of it. */
export async function fetchWorkload(
  context: StatusContext,
  workloadId: string,
  options: Abortable
): Promise<EngineWorkload | undefined> {
  return toWorkload(context, await context.client.ofWorkload(workloadId, options), options)
}

/** All workloads whose pod carries every one of these labels. */
export async function fetchWorkloads(
  context: StatusContext,
  labels: Readonly<Record<string, string>>,
  options: Abortable
): Promise<EngineWorkload[]> {
  const workloads = new Map<string, Found[]>()
  for (const found of await context.client.containers([WORKLOAD_LABEL], options)) {
    const id = found.Labels[WORKLOAD_LABEL] ?? ''
    workloads.set(id, [...(workloads.get(id) ?? []), found])
  }
  // by the holder's labels, because an image may carry any
  const wanted = [...workloads.values()].filter((own) => {
    const holder = holderOf(own)
    return (
      holder !== undefined && Object.entries(labels).every(([key, value]) => holder.Labels[key] === value)
    )
  })
  const told = await Promise.all(wanted.map((own) => toWorkload(context, own, options)))
  return told.filter((workload) => workload !== undefined)
}

/** The container that is none of the manifest's. */
export function holderOf(found: readonly Found[]): Found | undefined {
  return found.find(({ Labels }) => CONTAINERS_LABEL in Labels)
}

async function toWorkload(
  { client, kernelLog }: StatusContext,
  found: readonly Found[],
  options: Abortable
): Promise<EngineWorkload | undefined> {
  const first = holderOf(found)
  if (first === undefined) return undefined
  const holder = await client.inspect(first.Id, options)
  const containers = await Promise.all(
    (first.Labels[CONTAINERS_LABEL] ?? '').split(',').map(async (name): Promise<EngineContainer> => {
      const own = found.find(({ Labels }) => Labels[CONTAINER_LABEL] === name && !(INIT_LABEL in Labels))
      const inspected = own && (await client.inspect(own.Id, options))
      return inspected === undefined ? { name, state: 'unknown' } : toContainer(name, inspected, kernelLog)
    })
  )
  if (holder === undefined) return undefined // removed meanwhile
  const held = holder.State.Running || containers.every(({ state }) => state === 'created')
  const state = held ? toWorkloadState(containers) : 'failed'
  const started = containers.flatMap(({ startedAtMs }) => startedAtMs ?? [])
  const networks = Object.values(holder.NetworkSettings.Networks)
  const address =
    holder.HostConfig.NetworkMode === 'host'
      ? '127.0.0.1'
      : networks.find(({ IPAddress }) => IPAddress)?.IPAddress
  return {
    workloadId: first.Labels[WORKLOAD_LABEL] ?? '',
    state,
    containers,
    labels: Object.fromEntries(Object.entries(first.Labels).filter(([key]) => !OWN_LABEL_NAMES.has(key))),
    ports: toPorts(holder),
    ...(started.length === 0 ? {} : { startedAtMs: Math.min(...started) }),
    ...(address ? { address } : {}),
    ...(state === 'failed' ? { message: describeFailure(containers, held) } : {})
  }
}

async function toContainer(
  name: string,
  { Id, State }: Inspected,
  kernelLog: KernelLog
): Promise<EngineContainer> {
  const state = STATES[State.Status] ?? 'unknown'
  const startedAtMs = toMs(State.StartedAt)
  const times = startedAtMs === undefined ? {} : { startedAtMs }
  if (state !== 'exited') return { name, state, ...times }
  const finishedAtMs = toMs(State.FinishedAt) ?? Date.now()
  const oomKilled =
    State.ExitCode === SIGKILL_EXIT &&
    (State.OOMKilled || (await kernelLog.killedForMemory(Id, startedAtMs ?? 0, finishedAtMs)))
  return { name, state, ...toEnd(State.ExitCode, oomKilled), ...times, finishedAtMs }
}

function describeFailure(containers: readonly EngineContainer[], held: boolean): string {
  const ended = containers.find(({ state, exitCode }) => state === 'exited' && exitCode !== 0)
  if (ended !== undefined) return describeEnd(ended)
  const gone = containers.find(({ state }) => state === 'unknown')
  if (gone !== undefined) return `container "${gone.name}" is gone, and nobody saw it end`
  return held ? 'it failed' : 'the container that holds its network has ended'
}

function toPorts({ HostConfig }: Inspected): EnginePort[] {
  const bindings = (HostConfig.PortBindings ?? {}) as Record<string, { HostIp?: string; HostPort: string }[]>
  return Object.entries(bindings).flatMap(([key, hosts]) => {
    const [port = '', protocol = 'tcp'] = key.split('/')
    return hosts.map(({ HostIp, HostPort }) => ({
      containerPort: Number(port),
      hostPort: Number(HostPort),
      ...(HostIp ? { hostIp: HostIp } : {}),
      protocol: protocol.toUpperCase() as EnginePort['protocol']
    }))
  })
}

/** "Never" is the year 1. */
function toMs(time: string): number | undefined {
  const ms = Date.parse(time)
  return ms > 0 ? ms : undefined
}

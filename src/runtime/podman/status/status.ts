import type { Abortable } from '../../../common/index.ts'
import type { KernelLog } from '../../parts/index.ts'
import type { ContainerState, EngineContainer, EnginePort, EngineWorkload } from '../../types.ts'
import { describeEnd, SIGKILL_EXIT, toEnd, toWorkloadState } from '../../workload-state.ts'
import type { Podman } from '../client/index.ts'
import { DEPLOY_LABEL, PIDS_LABEL } from '../constants.ts'
import { containerName } from '../find-container.ts'
import type { PsEntry } from '../types.ts'
import { isProcessOf, judgeMissing } from './liveness.ts'

const STATES: Readonly<Record<string, ContainerState>> = {
  created: 'created',
  configured: 'created',
  initialized: 'created',
  running: 'running',
  paused: 'running',
  stopping: 'running',
  stopped: 'exited',
  exited: 'exited',
  removing: 'exited'
}

/** Pods remembered before those that are gone are forgotten. Chosen. */
const MAX_FACTS = 1_000
const ID_LENGTH = 64

/** What of a pod does not change while it runs. Its own labels, because a container's are mixed with its image's. */
interface PodFacts {
  readonly labels: Readonly<Record<string, string>>
  readonly address?: string
}

export interface StatusContext {
  readonly podman: Podman
  /** By pod ID and the processes of its containers. */
  readonly pods: Map<string, PodFacts>
  readonly kernelLog: KernelLog
}

/** One workload; undefined when Podman has no pod of exactly this name. */
export async function fetchWorkload(
  context: StatusContext,
  workloadId: string,
  options: Abortable
): Promise<EngineWorkload | undefined> {
  const own = await context.podman.podContainers(workloadId, options)
  return own.length === 0 ? undefined : toWorkload(context, own, options)
}

/** All workloads whose pod carries every one of these labels. */
export async function fetchWorkloads(
  context: StatusContext,
  labels: Readonly<Record<string, string>>,
  options: Abortable
): Promise<EngineWorkload[]> {
  const pods = new Map<string, PsEntry[]>()
  const filter = { label: Object.entries(labels).map(([key, value]) => `${key}=${value}`) }
  for (const entry of await context.podman.containers(filter, options))
    if (entry.Pod !== '' && !entry.IsInfra) pods.set(entry.Pod, [...(pods.get(entry.Pod) ?? []), entry])
  const found = await Promise.all([...pods.values()].map((own) => toWorkload(context, own, options)))
  for (const key of context.pods.keys())
    if (context.pods.size > MAX_FACTS && !pods.has(key.slice(0, ID_LENGTH))) context.pods.delete(key)
  // asked again of the pod itself, because an image may carry any label
  return found.filter((workload) =>
    Object.entries(labels).every(([key, value]) => workload.labels[key] === value)
  )
}

async function toWorkload(
  context: StatusContext,
  entries: readonly PsEntry[],
  options: Abortable
): Promise<EngineWorkload> {
  const { PodName: workloadId } = entries[0]!
  const own = entries.filter(({ IsInfra }) => !IsInfra)
  const told = await Promise.all(own.map((entry) => toContainer(context, workloadId, entry, options)))
  const containers = told.map(({ container }) => container)
  const state = toWorkloadState(containers)
  const started = containers.flatMap(({ startedAtMs }) => startedAtMs ?? [])
  const { labels, address } = await fetchFacts(context, own, options)
  const message = told.find((one) => one.message !== undefined)?.message
  return {
    workloadId,
    state,
    containers,
    labels,
    ports: toPorts(entries),
    ...(started.length === 0 ? {} : { startedAtMs: Math.min(...started) }),
    ...(address === undefined ? {} : { address }),
    ...(state === 'failed' && message !== undefined ? { message } : {})
  }
}

async function toContainer(
  { podman, kernelLog }: StatusContext,
  workloadId: string,
  entry: PsEntry,
  options: Abortable
): Promise<{ container: EngineContainer; message?: string }> {
  const name = containerName(entry, workloadId)
  const startedAtMs = toMs(entry.StartedAt)
  const times = startedAtMs === undefined ? {} : { startedAtMs }
  let state = STATES[entry.State] ?? 'unknown'
  let { ExitCode: exitCode, ExitedAt } = entry
  if (state === 'running' && !(await isProcessOf(entry.Pid, entry.Id))) {
    const { verdict, inspect } = await judgeMissing(podman, entry.Id, options)
    if (verdict === 'gone')
      return {
        container: { name, state: 'unknown', ...times },
        message: `container "${name}" is gone, and nobody saw it end`
      }
    if (verdict === 'told' && inspect !== undefined) {
      state = STATES[inspect.State.Status] ?? 'unknown'
      exitCode = inspect.State.ExitCode
      ExitedAt = Date.parse(inspect.State.FinishedAt) / 1000
    }
  }
  if (state !== 'exited') return { container: { name, state, ...times } }
  const finishedAtMs = toMs(ExitedAt) ?? Date.now()
  const oomKilled =
    exitCode === SIGKILL_EXIT && (await kernelLog.killedForMemory(entry.Id, startedAtMs ?? 0, finishedAtMs))
  const container = { name, state, ...toEnd(exitCode, oomKilled), ...times, finishedAtMs }
  return exitCode === 0 ? { container } : { container, message: describeEnd(container) }
}

async function fetchFacts(
  { podman, pods }: StatusContext,
  entries: readonly PsEntry[],
  options: Abortable
): Promise<PodFacts> {
  const [first] = entries
  const podId = first?.Pod ?? ''
  // because Podman ends the infra container with the last of the others, and a restart brings it back under another address
  // (told by process, because start times are whole seconds)
  const key = `${podId} ${entries.map(({ Pid }) => Pid).join(' ')}`
  const known = pods.get(key)
  if (known !== undefined || first === undefined) return known ?? { labels: {} }
  const [pod, container] = await Promise.all([
    podman.ask((client) => client.inspectPod(podId, options), options),
    podman.ask((client) => client.inspectContainer(first.Id, options), options)
  ])
  const { [DEPLOY_LABEL]: _, [PIDS_LABEL]: __, ...labels } = pod?.Labels ?? first.Labels ?? {}
  const addresses = Object.values(container?.NetworkSettings.Networks ?? {}).map(({ IPAddress }) => IPAddress)
  const address = pod?.InfraConfig?.HostNetwork === true ? '127.0.0.1' : addresses.find((one) => one !== '')
  const facts = { labels, ...(address === undefined ? {} : { address }) }
  if (pod !== undefined && address !== undefined) pods.set(key, facts)
  return facts
}

/** Every container of a pod lists the ports of the whole pod. */
function toPorts(entries: readonly PsEntry[]): EnginePort[] {
  const listed = entries.find(({ Ports }) => (Ports?.length ?? 0) > 0)?.Ports ?? []
  return listed.flatMap(({ host_ip, container_port, host_port, range, protocol }) =>
    protocol.split(',').flatMap((one) =>
      Array.from({ length: Math.max(range, 1) }, (_, offset) => ({
        containerPort: container_port + offset,
        hostPort: host_port + offset,
        ...(host_ip === '' ? {} : { hostIp: host_ip }),
        protocol: one.toUpperCase() as EnginePort['protocol']
      }))
    )
  )
}

/** Seconds since epoch to ms; "never" is the year 1. */
function toMs(seconds: number): number | undefined {
  return seconds > 0 ? Math.round(seconds * 1000) : undefined
}

import type { Abortable } from '../../../common/index.ts'
import type { ContainerState, EngineContainer, EnginePort, EngineWorkload } from '../../types.ts'
import { toWorkloadState } from '../../workload-state.ts'
import type { Podman } from '../client/index.ts'
import { DEPLOY_LABEL } from '../constants.ts'
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

/** Pod labels by pod ID: they never change, and a container's own label list is mixed with its image's. */
export type LabelCache = Map<string, Readonly<Record<string, string>>>

/** One workload; undefined when Podman has no pod of exactly this name. */
export async function fetchWorkload(
  podman: Podman,
  cache: LabelCache,
  workloadId: string,
  options: Abortable
): Promise<EngineWorkload | undefined> {
  const entries = await podman.ask((client) => client.containers({ pod: workloadId }, options), options)
  const own = entries.filter(({ PodName }) => PodName === workloadId)
  return own.length === 0 ? undefined : toWorkload(podman, cache, own, options)
}

/** All workloads whose pod carries every one of these labels. */
export async function fetchWorkloads(
  podman: Podman,
  cache: LabelCache,
  labels: Readonly<Record<string, string>>,
  options: Abortable
): Promise<EngineWorkload[]> {
  const entries = await podman.ask((client) => client.containers({ labels }, options), options)
  const pods = new Map<string, PsEntry[]>()
  for (const entry of entries)
    if (entry.Pod !== '' && !entry.IsInfra) pods.set(entry.Pod, [...(pods.get(entry.Pod) ?? []), entry])
  const found = await Promise.all([...pods.values()].map((own) => toWorkload(podman, cache, own, options)))
  for (const id of cache.keys()) if (cache.size > 1_000 && !pods.has(id)) cache.delete(id)
  // asked again of the pod itself, because an image may carry any label
  return found.filter((workload) =>
    Object.entries(labels).every(([key, value]) => workload.labels[key] === value)
  )
}

async function toWorkload(
  podman: Podman,
  cache: LabelCache,
  entries: readonly PsEntry[],
  options: Abortable
): Promise<EngineWorkload> {
  const { Pod, PodName: workloadId } = entries[0]!
  const own = entries.filter(({ IsInfra }) => !IsInfra)
  const told = await Promise.all(own.map((entry) => toContainer(podman, workloadId, entry, options)))
  const containers = told.map(({ container }) => container)
  const state = toWorkloadState(containers)
  const started = containers.flatMap(({ startedAtMs }) => startedAtMs ?? [])
  const labels = await fetchLabels(podman, cache, Pod, own, options)
  const message = told.find((one) => one.message !== undefined)?.message
  return {
    workloadId,
    state,
    containers,
    labels,
    ports: toPorts(entries),
    ...(started.length === 0 ? {} : { startedAtMs: Math.min(...started) }),
    ...(state === 'failed' && message !== undefined ? { message } : {})
  }
}

async function toContainer(
  podman: Podman,
  workloadId: string,
  entry: PsEntry,
  options: Abortable
): Promise<{ container: EngineContainer; message?: string }> {
  const prefix = `${workloadId}-`
  const full = entry.Names[0] ?? entry.Id
  const name = full.startsWith(prefix) ? full.slice(prefix.length) : full
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
  const finishedAtMs = toMs(ExitedAt)
  const container = {
    name,
    state,
    exitCode,
    ...times,
    ...(finishedAtMs === undefined ? {} : { finishedAtMs })
  }
  return exitCode === 0 ? { container } : { container, message: `container "${name}" ended with ${exitCode}` }
}

async function fetchLabels(
  podman: Podman,
  cache: LabelCache,
  podId: string,
  entries: readonly PsEntry[],
  options: Abortable
): Promise<Readonly<Record<string, string>>> {
  const known = cache.get(podId)
  if (known !== undefined) return known
  const pod = await podman.ask((client) => client.inspectPod(podId, options), options)
  const { [DEPLOY_LABEL]: _, ...labels } = pod?.Labels ?? entries[0]?.Labels ?? {}
  if (pod !== undefined) cache.set(podId, labels)
  return labels
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

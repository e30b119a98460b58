import type { Abortable } from '../../../common/index.ts'
import { addUsage, NO_USAGE, readNetwork, readUsage } from '../../parts/index.ts'
import type { EngineStats } from '../../types.ts'
import type { Podman } from '../client/index.ts'
import { DEPLOY_LABEL } from '../constants.ts'
import type { PsEntry } from '../types.ts'

/** Of the workloads named, or of all pods that a `deploy` of ours made; one call to Podman for all of them. */
export async function fetchStats(
  podman: Podman,
  workloadIds: readonly string[] | undefined,
  options: Abortable
): Promise<EngineStats[]> {
  const entries = await podman.containers(undefined, options)
  const ours = new Set(
    entries.filter(({ Labels }) => Labels?.[DEPLOY_LABEL] !== undefined).map(({ Pod }) => Pod)
  )
  const pods = new Map<string, PsEntry[]>()
  for (const entry of entries)
    if (ours.has(entry.Pod) && (workloadIds === undefined || workloadIds.includes(entry.PodName)))
      pods.set(entry.PodName, [...(pods.get(entry.PodName) ?? []), entry])
  const read = await Promise.all([...pods].map(([workloadId, own]) => readStats(workloadId, own)))
  return read.filter((stats) => stats !== undefined)
}

async function readStats(workloadId: string, entries: readonly PsEntry[]): Promise<EngineStats | undefined> {
  const running = entries.filter(({ Pid, State, IsInfra }) => Pid > 0 && State === 'running' && !IsInfra)
  const usages = (await Promise.all(running.map(({ Pid }) => readUsage(Pid)))).filter(
    (one) => one !== undefined
  )
  if (usages.length === 0) return undefined
  const infra = entries.find(({ IsInfra }) => IsInfra)
  const shared = infra?.Networks === null || infra?.Networks?.length === 0 // the host's network, or none
  const { rxBytes, txBytes } = shared ? { rxBytes: 0, txBytes: 0 } : await readNetwork(infra?.Pid ?? 0)
  const { memoryLimitBytes, ...usage } = usages.reduce(addUsage, NO_USAGE)
  return {
    workloadId,
    atMs: Date.now(),
    ...usage,
    ...(Number.isFinite(memoryLimitBytes) ? { memoryLimitBytes } : {}),
    networkRxBytes: rxBytes,
    networkTxBytes: txBytes
  }
}

import type { Abortable } from '../../../common/index.ts'
import { readNetwork, readUsage, toStats } from '../../parts/index.ts'
import type { EngineStats } from '../../types.ts'
import type { Podman } from '../client/index.ts'
import { DEPLOY_LABEL } from '../constants.ts'
import type { PsEntry } from '../types.ts'

/** Of the workloads named, each asked for by itself because a list waits for the slowest; or of all that are ours. */
export async function fetchStats(
  podman: Podman,
  workloadIds: readonly string[] | undefined,
  options: Abortable
): Promise<EngineStats[]> {
  const lists =
    workloadIds === undefined
      ? [await podman.containers({ label: [DEPLOY_LABEL] }, options)]
      : await Promise.all(workloadIds.map((id) => podman.podContainers(id, options)))
  const pods = new Map<string, PsEntry[]>()
  for (const entry of lists.flat())
    if (!entry.IsInfra) pods.set(entry.PodName, [...(pods.get(entry.PodName) ?? []), entry])
  const read = await Promise.all([...pods].map(([workloadId, own]) => readStats(workloadId, own)))
  return read.filter((stats) => stats !== undefined)
}

async function readStats(workloadId: string, entries: readonly PsEntry[]): Promise<EngineStats | undefined> {
  const running = entries.filter(({ Pid, State }) => Pid > 0 && State === 'running')
  const known = (await Promise.all(running.map(({ Pid }) => readUsage(Pid)))).filter(
    (one) => one !== undefined
  )
  if (known.length === 0) return undefined
  return toStats(workloadId, known, await readNetwork(running[0]?.Pid ?? 0))
}

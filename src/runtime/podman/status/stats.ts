import type { Abortable } from '../../../common/index.ts'
import { readNetwork, readUsage, toStats } from '../../parts/index.ts'
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
  const pods = new Map<string, PsEntry[]>()
  for (const entry of await podman.containers({ label: [DEPLOY_LABEL] }, options))
    if (workloadIds === undefined || workloadIds.includes(entry.PodName))
      pods.set(entry.PodName, [...(pods.get(entry.PodName) ?? []), entry])
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

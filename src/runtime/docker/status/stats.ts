import type { Abortable } from '../../../common/index.ts'
import { readNetwork, readUsage, toStats } from '../../parts/index.ts'
import type { EngineStats } from '../../types.ts'
import { CONTAINER_LABEL, WORKLOAD_LABEL } from '../constants.ts'
import type { DockerClient, Found } from '../docker-client.ts'
import { holderOf } from './status.ts'

/** Of the workloads named, or of all that carry our labels. */
export async function fetchStats(
  client: DockerClient,
  workloadIds: readonly string[] | undefined,
  options: Abortable
): Promise<EngineStats[]> {
  const workloads = new Map<string, Found[]>()
  for (const found of await client.containers([WORKLOAD_LABEL], options)) {
    const id = found.Labels[WORKLOAD_LABEL] ?? ''
    if (workloadIds === undefined || workloadIds.includes(id))
      workloads.set(id, [...(workloads.get(id) ?? []), found])
  }
  const read = await Promise.all([...workloads].map(([id, own]) => readStats(client, id, own, options)))
  return read.filter((stats) => stats !== undefined)
}

async function readStats(
  client: DockerClient,
  workloadId: string,
  found: readonly Found[],
  options: Abortable
): Promise<EngineStats | undefined> {
  const running = found.filter(({ State, Labels }) => State === 'running' && CONTAINER_LABEL in Labels)
  const pidOf = async (id: string) => (await client.inspect(id, options))?.State.Pid ?? 0
  const usages = await Promise.all(running.map(async ({ Id }) => readUsage(await pidOf(Id))))
  const known = usages.filter((usage) => usage !== undefined)
  if (known.length === 0) return undefined
  const holder = holderOf(found)
  return toStats(workloadId, known, await readNetwork(holder === undefined ? 0 : await pidOf(holder.Id)))
}

import type { Abortable } from '../../../common/index.ts'
import { describeProcess } from '../../parts/index.ts'
import type { EngineProcess } from '../../types.ts'
import type { DockerClient } from '../docker-client.ts'

/** First processes of a workload's containers, the one that holds its network too. */
export async function fetchProcesses(
  client: DockerClient,
  workloadId: string,
  options: Abortable
): Promise<EngineProcess[]> {
  const found = await client.ofWorkload(workloadId, options)
  const processes = await Promise.all(
    found.map(async ({ Id }) => describeProcess((await client.inspect(Id, options))?.State.Pid ?? 0, Id))
  )
  return processes.filter((one) => one !== undefined)
}

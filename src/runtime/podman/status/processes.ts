import type { Abortable } from '../../../common/index.ts'
import { describeProcess } from '../../parts/index.ts'
import type { EngineProcess } from '../../types.ts'
import type { Podman } from '../client/index.ts'

/** First processes of a pod's containers, the infra container's too: with a shared PID namespace everything ends with that one. */
export async function fetchProcesses(
  podman: Podman,
  workloadId: string,
  options: Abortable
): Promise<EngineProcess[]> {
  const entries = await podman.podContainers(workloadId, options)
  const found = await Promise.all(entries.map(({ Pid, Id }) => describeProcess(Pid, Id)))
  return found.filter((one) => one !== undefined)
}

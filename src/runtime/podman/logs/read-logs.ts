import { mergeByArrival, mergeByTime } from '../../parts/index.ts'
import type { LogLine, LogsOptions } from '../../types.ts'
import type { Podman } from '../client/index.ts'
import { containerName, findContainers } from '../find-container.ts'
import { isProcessOf, judgeMissing } from '../status/liveness.ts'
import type { PsEntry } from '../types.ts'
import { readLogFile } from './read-log-file.ts'

/**
 * Lines of one container, or of all of a workload merged: by time, or as they arrive when following. Following ends when the
 * containers have ended (also when nobody saw them end), when the workload is removed, or with the signal's reason.
 * @throws RuntimeError WORKLOAD_NOT_FOUND
 */
export async function* readLogs(
  podman: Podman,
  workloadId: string,
  options: LogsOptions
): AsyncGenerator<LogLine> {
  const { container, follow = false, tail, sinceMs, signal } = options
  const ask = { ...(signal && { signal }) }
  const chosen = await findContainers(podman, workloadId, container, ask)
  const open = async function* (entry: PsEntry): AsyncGenerator<LogLine> {
    const inspect = await podman.ask((client) => client.inspectContainer(entry.Id, ask), ask)
    if (inspect === undefined) return
    yield* readLogFile(inspect.HostConfig.LogConfig.Path, {
      ...ask,
      container: containerName(entry, workloadId),
      ...(tail === undefined ? {} : { tail }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(follow ? { isGrowing: () => isAlive(podman, entry.Id, options) } : {})
    })
  }
  const sources = chosen.map(open)
  yield* sources.length === 1 ? sources[0]! : follow ? mergeByArrival(sources) : mergeByTime(sources)
}

async function isAlive(podman: Podman, id: string, { signal }: LogsOptions): Promise<boolean> {
  const options = { ...(signal && { signal }) }
  const inspect = await podman.ask((client) => client.inspectContainer(id, options), options)
  if (inspect === undefined) return false
  if (inspect.State.Status !== 'running')
    return ['created', 'initialized', 'configured'].includes(inspect.State.Status)
  if (await isProcessOf(inspect.State.Pid, id)) return true
  return (await judgeMissing(podman, id, options)).verdict === 'running'
}

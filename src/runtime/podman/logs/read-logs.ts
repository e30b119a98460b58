import type { LogLine, LogsOptions } from '../../types.ts'
import type { Podman } from '../client/index.ts'
import { podmanError } from '../podman-error.ts'
import { isProcessOf, judgeMissing } from '../status/liveness.ts'
import type { PsEntry } from '../types.ts'
import { mergeByArrival, mergeByTime } from './merge-lines.ts'
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
  const entries = await podman.ask((client) => client.containers({ pod: workloadId }, ask), ask)
  const own = entries.filter(({ PodName, IsInfra }) => PodName === workloadId && !IsInfra)
  const chosen = own.filter((entry) => container === undefined || nameOf(entry, workloadId) === container)
  if (chosen.length === 0)
    throw podmanError(
      'WORKLOAD_NOT_FOUND',
      own.length === 0
        ? `there is no workload "${workloadId}" on this machine`
        : `workload "${workloadId}" has no container "${container}"; it has ${own.map((entry) => nameOf(entry, workloadId)).join(', ')}`,
      { workloadId }
    )
  const open = async function* (entry: PsEntry): AsyncGenerator<LogLine> {
    const inspect = await podman.ask((client) => client.inspectContainer(entry.Id, ask), ask)
    if (inspect === undefined) return
    yield* readLogFile(inspect.HostConfig.LogConfig.Path, {
      ...ask,
      container: nameOf(entry, workloadId),
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

function nameOf({ Names, Id }: PsEntry, workloadId: string): string {
  return Names[0]?.slice(workloadId.length + 1) ?? Id
}

import { type Abortable, delay } from '../../common/index.ts'
import { removeFileVolumes } from '../parts/index.ts'
import type { RemoveOptions } from '../types.ts'
import { awaitEmptyCgroup, killExecMonitors, removeEmptyCgroups } from './cgroup.ts'
import type { Podman } from './client/index.ts'
import { DEPLOY_LABEL, REMOVE_ATTEMPTS, TEARDOWN_POLL_MS, VOLUME_LABEL } from './constants.ts'
import type { PodInspect } from './types.ts'
import { removeNewClaims } from './volumes.ts'

/** Sent where an image names no signal of its own. */
const DEFAULT_STOP_SIGNAL = 'SIGTERM'

export interface RemoveContext {
  readonly podman: Podman
  readonly filesDir: string
}

/** Ends and removes a workload with all that belongs to it. Nothing there is success. */
export async function removeWorkload(
  { podman, filesDir }: RemoveContext,
  workloadId: string,
  { graceMs = 0, signal }: RemoveOptions
): Promise<void> {
  const options = { ...(signal && { signal }) }
  const pod = await findPod(podman, workloadId, options)
  if (pod !== undefined) await removePod(podman, pod, graceMs, options)
  await removeScratchVolumes(podman, workloadId, options)
  await removeFileVolumes(filesDir, workloadId)
}

/** Removes a pod that was being made, and nothing that belongs to it. */
export async function removeHalfMade(podman: Podman, workloadId: string, options: Abortable): Promise<void> {
  const pod = await findPod(podman, workloadId, options)
  if (pod !== undefined) await removePod(podman, pod, 0, options)
}

/** Removes what one failed `deploy` made, and nothing that another made under the same name. */
export async function removeDeployment(
  { podman, filesDir }: RemoveContext,
  workloadId: string,
  deployId: string
): Promise<void> {
  const pod = await findPod(podman, workloadId, {})
  if (pod !== undefined && pod.Labels?.[DEPLOY_LABEL] !== deployId) return
  await removeWorkload({ podman, filesDir }, workloadId, { graceMs: 0 })
  await removeNewClaims(podman, deployId)
}

/** The pod of exactly this name: Podman would also take the beginning of another pod's ID. */
export async function findPod(
  podman: Podman,
  workloadId: string,
  options: Abortable
): Promise<PodInspect | undefined> {
  const pod = await podman.ask((client) => client.inspectPod(workloadId, options), options)
  return pod?.Name === workloadId ? pod : undefined
}

export async function removeScratchVolumes(
  podman: Podman,
  workloadId: string,
  options: Abortable
): Promise<void> {
  const names = await podman.ask((client) => client.volumes(VOLUME_LABEL, workloadId, options), options)
  for (const name of names) await podman.ask((client) => client.removeVolume(name, options), options)
}

async function removePod(
  podman: Podman,
  pod: PodInspect,
  graceMs: number,
  options: Abortable
): Promise<void> {
  if (graceMs > 0) await askToStop(podman, pod.Name, graceMs, options)
  const entries = await podman.podContainers(pod.Name, options)
  // one by one and the infra container last, because killing the pod at once reports an error for each that does not run
  const running = entries.filter(
    ({ State }) => State === 'running' || State === 'paused' || State === 'stopping'
  )
  const kill = (id: string) => podman.ask((client) => client.killContainer(id, 'SIGKILL', options), options)
  await Promise.all(running.map(({ Id }) => kill(Id)))
  await killExecMonitors(pod.CgroupPath)
  await awaitEmptyCgroup(pod.CgroupPath, options)
  for (let attempt = 1; ; attempt++) {
    try {
      await podman.ask((client) => client.removePod(pod.Id, options), options)
      return await removeEmptyCgroups(pod.CgroupPath)
    } catch (error) {
      options.signal?.throwIfAborted()
      // because when conmon was killed, the first try waits 5 s for an exit code nobody will write, and fails; the second works
      if (attempt === REMOVE_ATTEMPTS) throw error
    }
  }
}

/** Each container's own stop signal, then up to `graceMs` for all to end. The infra container stays: it holds the pod's network. */
async function askToStop(
  podman: Podman,
  workloadId: string,
  graceMs: number,
  options: Abortable
): Promise<void> {
  const entries = await podman.podContainers(workloadId, options)
  const running = entries.filter(({ State, IsInfra }) => State === 'running' && !IsInfra)
  const ids = running.map(({ Id }) => Id)
  await stopContainers(podman, ids, graceMs, options)
}

/** Each one's own stop signal, then up to `graceMs` for all to end. */
export async function stopContainers(
  podman: Podman,
  ids: readonly string[],
  graceMs: number,
  options: Abortable
): Promise<void> {
  const deadline = performance.now() + graceMs
  const inspect = (id: string) => podman.ask((client) => client.inspectContainer(id, options), options)
  for (const id of ids) {
    const stopSignal = String((await inspect(id))?.Config.StopSignal || DEFAULT_STOP_SIGNAL)
    await podman.ask((client) => client.killContainer(id, stopSignal, options), options)
  }
  const isRunning = async (id: string) => (await inspect(id))?.State.Status === 'running'
  for (const id of ids)
    while (performance.now() < deadline && (await isRunning(id)))
      await delay(Math.min(TEARDOWN_POLL_MS * 2, graceMs), options)
}

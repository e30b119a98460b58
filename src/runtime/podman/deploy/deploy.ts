import { randomUUID } from 'node:crypto'
import { writeFileVolumes } from '../../parts/index.ts'
import { assertDeployRequest, claimsOf } from '../../pod-fields.ts'
import type { DeployOptions, DeployRequest, EngineLogger } from '../../types.ts'
import type { Podman } from '../client/index.ts'
import { DEPLOY_LABEL, ENGINE, PIDS_LABEL, VOLUME_LABEL } from '../constants.ts'
import { podmanError } from '../podman-error.ts'
import { findPod, type RemoveContext, removeDeployment, removeScratchVolumes } from '../remove.ts'
import { createClaims } from '../volumes.ts'
import { ensureImages } from './images.ts'
import { enforcePidsLimit, watchPidsLimit } from './pids-limit.ts'
import { playPod } from './play.ts'
import { assertPodmanCanRun, planScratchVolumes, type ScratchVolume, toPodmanPod } from './podman-pod.ts'

export interface DeployContext extends RemoveContext {
  readonly log: EngineLogger
}

/** `podman kube play` made all or nothing: it starts every container, or leaves no pod, volume or file behind. */
export async function deployWorkload(
  context: DeployContext,
  request: DeployRequest,
  options: DeployOptions
): Promise<void> {
  const { podman, filesDir, log } = context
  const { workloadId, pod, files, pidsLimit, network } = request
  options.signal?.throwIfAborted()
  assertDeployRequest(request, ENGINE)
  assertPodmanCanRun(pod, new Set(files.map(({ volume }) => volume)))
  if ((await findPod(podman, workloadId, options)) !== undefined)
    throw podmanError('NAME_IN_USE', `a workload called "${workloadId}" exists on this machine`, {
      workloadId
    })
  const images = await ensureImages(podman, pod, options)
  const deployId = randomUUID()
  const scratch = planScratchVolumes(pod)
  try {
    options.onState?.('starting')
    await createScratchVolumes(podman, workloadId, scratch.values(), options)
    const paths = await writeFileVolumes(filesDir, workloadId, files)
    await createClaims(podman, claimsOf(pod), deployId, options)
    const labels = { [DEPLOY_LABEL]: deployId, ...(pidsLimit && { [PIDS_LABEL]: String(pidsLimit) }) }
    const started = new AbortController()
    if (pidsLimit !== undefined) void watchPidsLimit(podman, workloadId, pidsLimit, started.signal)
    const plan = toPodmanPod(pod, { labels, files: paths, scratch, images })
    await playPod(podman, plan, { ...options, network }).finally(() => started.abort())
    if (pidsLimit !== undefined) await enforcePidsLimit(podman, workloadId, pidsLimit, options)
  } catch (error) {
    // without the caller's signal, because what an aborted play leaves behind must go too
    await removeDeployment(context, workloadId, deployId).catch((failure) =>
      log('what is left of %s could not be removed: %s', workloadId, failure)
    )
    throw error
  }
}

async function createScratchVolumes(
  podman: Podman,
  workloadId: string,
  scratch: Iterable<ScratchVolume>,
  options: DeployOptions
): Promise<void> {
  await removeScratchVolumes(podman, workloadId, options) // there is no pod of this name, so what is there is stale
  for (const { name, driverOptions } of scratch) {
    await podman.ask(
      (client) => client.createVolume(name, { [VOLUME_LABEL]: workloadId }, driverOptions),
      options
    )
    options.signal?.throwIfAborted()
  }
}

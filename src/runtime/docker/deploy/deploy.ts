import { randomUUID } from 'node:crypto'
import type Docker from 'dockerode'
import { delay } from '../../../common/index.ts'
import { removeFileVolumes, writeFileVolumes } from '../../parts/index.ts'
import { assertDeployRequest, initContainersOf } from '../../pod-fields.ts'
import type { DeployOptions, DeployRequest, EngineLogger } from '../../types.ts'
import { CLAIM_LABEL, DEPLOY_LABEL, ENGINE, HOLDER_VOLUMES, POLL_MS, WORKLOAD_LABEL } from '../constants.ts'
import type { DockerClient } from '../docker-client.ts'
import { dockerError } from '../docker-error.ts'
import { readLastLine } from '../logs.ts'
import { removeContainers } from '../remove.ts'
import { createVolume, findVolume, removeLabelled } from '../volumes.ts'
import { type ConfigParts, toContainer, toHolder } from './container-config.ts'
import { ensureHolderImage } from './holder-image.ts'
import { ensureImages } from './images.ts'
import { assertDockerCanRun, planSources, type Source } from './pod-plan.ts'
import { toTar } from './tar.ts'

export interface DeployContext {
  readonly client: DockerClient
  readonly filesDir: string
  readonly network: string
  readonly log: EngineLogger
}

/** Starts every container of a pod, or leaves nothing behind. Between steps it looks whether the caller has given up. */
export async function deployWorkload(
  context: DeployContext,
  request: DeployRequest,
  options: DeployOptions
): Promise<void> {
  const { client, log } = context
  const { workloadId, pod, files } = request
  options.signal?.throwIfAborted()
  assertDeployRequest(request, ENGINE)
  assertDockerCanRun(pod, new Set(files.map(({ volume }) => volume)))
  if ((await client.ofWorkload(workloadId, options)).length > 0)
    throw dockerError('NAME_IN_USE', `a workload called "${workloadId}" exists on this machine`, {
      workloadId
    })
  await ensureHolderImage(client, options)
  const images = await ensureImages(client, pod, options)
  const deployId = randomUUID()
  try {
    options.onState?.('starting')
    await startAll(context, request, { deployId, images }, options)
  } catch (error) {
    await undo(context, workloadId, deployId).catch((failure) =>
      log('what is left of %s could not be removed: %s', workloadId, failure)
    )
    throw error
  }
}

async function startAll(
  { client, filesDir, network: usual }: DeployContext,
  { workloadId, pod, files, pidsLimit, network }: DeployRequest,
  { deployId, images }: { readonly deployId: string; readonly images: ReadonlyMap<string, string> },
  options: DeployOptions
): Promise<void> {
  const { signal } = options
  const paths = new Map(files.map(({ volume }) => [volume, `${filesDir}/${workloadId}/${volume}`]))
  const sources = await planSources(pod, paths)
  const parts: ConfigParts = { deployId, network: network ?? usual, sources, images, pidsLimit }
  const create = async (config: Docker.ContainerCreateOptions): Promise<string> => {
    signal?.throwIfAborted()
    const call = { what: `create "${config.name}"`, fallback: 'START_FAILED', workloadId } as const
    return (await client.change((docker) => docker.createContainer(config), call))!.id
  }
  const start = async (id: string, name: string) => {
    signal?.throwIfAborted()
    const call = { what: `start "${name}"`, fallback: 'START_FAILED', workloadId } as const
    await client.change((docker) => docker.getContainer(id).start(), call)
  }
  // the holder is created first, because its name is what keeps a second deployment of this ID away
  const fresh = await createVolumes(client, workloadId, sources, deployId, options)
  const holder = await create(toHolder(pod, parts))
  await writeFileVolumes(filesDir, workloadId, files)
  await start(holder, workloadId)
  await openVolumes(client, holder, pod.spec.securityContext, fresh)
  const ids = await all(pod.spec.containers.map((one) => create(toContainer(pod, one, parts, 'main'))))
  const deadline = performance.now() + client.timeouts.initMs
  for (const container of initContainersOf(pod)) {
    const id = await create(toContainer(pod, container, parts, 'init'))
    await start(id, container.name)
    await awaitInit(client, { id, name: container.name, workloadId, deadline }, options)
    await client.change((docker) => docker.getContainer(id).remove({ force: true, v: true }), {
      what: 'remove an init container',
      absent: [404]
    })
  }
  await all(pod.spec.containers.map(({ name }, index) => start(ids[index]!, name)))
  signal?.throwIfAborted()
}

/** All results, or the first failure once none is under way any more: what is to be undone must be there by then. */
async function all<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

/** @returns names of the pod's volumes that are new, and so have no owner yet */
async function createVolumes(
  client: DockerClient,
  workloadId: string,
  sources: ReadonlyMap<string, Source>,
  deployId: string,
  options: DeployOptions
): Promise<{ readonly volume: string; readonly emptyDir: boolean }[]> {
  const fresh: { volume: string; emptyDir: boolean }[] = []
  for (const [volume, source] of sources) {
    if (source.type !== 'volume') continue
    const { source: name, emptyDir } = source
    if (emptyDir === undefined && (await findVolume(client, name, options)) !== undefined) continue
    options.signal?.throwIfAborted()
    const own: Record<string, string> =
      emptyDir === undefined ? { [CLAIM_LABEL]: name } : { [WORKLOAD_LABEL]: workloadId }
    const labels = { ...own, [DEPLOY_LABEL]: deployId }
    await createVolume(client, { name, labels, driverOptions: emptyDir?.driverOptions ?? {} })
    fresh.push({ volume, emptyDir: emptyDir !== undefined })
  }
  return fresh
}

/** New volumes belong to root alone; Kubernetes lets all write to an emptyDir, and Podman gives a claim to the pod's user. */
async function openVolumes(
  client: DockerClient,
  holder: string,
  context: unknown,
  fresh: readonly { readonly volume: string; readonly emptyDir: boolean }[]
): Promise<void> {
  if (fresh.length === 0) return
  const { runAsUser = 0, runAsGroup = 0, fsGroup } = (context ?? {}) as Record<string, number | undefined>
  const owner = { uid: runAsUser, gid: fsGroup ?? runAsGroup }
  const tar = toTar(
    fresh.map(({ volume, emptyDir }) => ({
      path: volume,
      mode: emptyDir ? 0o777 : fsGroup === undefined ? 0o755 : 0o2775,
      ...owner
    }))
  )
  await client.change((docker) => docker.getContainer(holder).putArchive(tar, { path: HOLDER_VOLUMES }), {
    what: 'prepare volumes'
  })
}

async function awaitInit(
  client: DockerClient,
  init: {
    readonly id: string
    readonly name: string
    readonly workloadId: string
    readonly deadline: number
  },
  options: DeployOptions
): Promise<void> {
  const { id, name, workloadId, deadline } = init
  for (;;) {
    const State = (await client.inspect(id, options))?.State
    if (State?.Status === 'exited' && State.ExitCode === 0) return
    if (State === undefined || State.Status === 'exited' || State.Status === 'dead') {
      const said = await readLastLine(client, id, options)
      const why = `init container "${name}" ended with ${State?.ExitCode ?? 'nothing'}${said === undefined ? '' : `: ${said}`}`
      throw dockerError('START_FAILED', why, { workloadId })
    }
    if (performance.now() > deadline)
      throw dockerError('ENGINE_TIMEOUT', `init container "${name}" has not ended in time`, { workloadId })
    await delay(POLL_MS, options)
  }
}

/** Without the caller's signal, because what an aborted deployment leaves behind must go too. */
async function undo(
  { client, filesDir }: DeployContext,
  workloadId: string,
  deployId: string
): Promise<void> {
  const made = await client.containers([`${DEPLOY_LABEL}=${deployId}`], {})
  await removeContainers(client, made, {})
  await removeLabelled(client, DEPLOY_LABEL, deployId, {})
  if ((await client.ofWorkload(workloadId, {})).length === 0) await removeFileVolumes(filesDir, workloadId)
}

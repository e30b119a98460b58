import { type Abortable, delay } from '../../common/index.ts'
import { removeFileVolumes } from '../parts/index.ts'
import type { RemoveOptions } from '../types.ts'
import { CONTAINER_LABEL, POLL_MS, WORKLOAD_LABEL } from './constants.ts'
import type { DockerClient, Found } from './docker-client.ts'
import { dockerError } from './docker-error.ts'
import { removeLabelled } from './volumes.ts'

/** Ends and removes a workload with all that belongs to it. Nothing there is success. */
export async function removeWorkload(
  { client, filesDir }: { readonly client: DockerClient; readonly filesDir: string },
  workloadId: string,
  { graceMs = 0, signal }: RemoveOptions
): Promise<void> {
  const options = { ...(signal && { signal }) }
  const found = await client.ofWorkload(workloadId, options)
  if (graceMs > 0) {
    const running = found.filter(({ State, Labels }) => State === 'running' && CONTAINER_LABEL in Labels)
    await stopContainers(
      client,
      running.map(({ Id }) => Id),
      graceMs,
      options
    )
  }
  await removeContainers(client, found, options)
  await removeLabelled(client, WORKLOAD_LABEL, workloadId, options)
  await removeFileVolumes(filesDir, workloadId)
}

/** Each one's own stop signal, then up to `graceMs` for all to end. */
export async function stopContainers(
  client: DockerClient,
  ids: readonly string[],
  graceMs: number,
  options: Abortable
): Promise<void> {
  const deadline = performance.now() + graceMs
  await Promise.all(
    ids.map(async (id) => {
      const stopSignal = ((await client.inspect(id, options))?.Config as { StopSignal?: string } | undefined)
        ?.StopSignal
      await client.kill(id, stopSignal || 'SIGTERM')
      while (performance.now() < deadline && (await client.inspect(id, options))?.State.Running === true)
        await delay(Math.min(POLL_MS, graceMs), options)
    })
  )
}

/** All at once, and the holder like the others: nothing waits for anything, since all are killed. */
export async function removeContainers(
  client: DockerClient,
  containers: readonly Found[],
  options: Abortable
): Promise<void> {
  const remove = { what: 'remove a container', absent: [404, 409] } // 409: somebody else is removing it
  await Promise.all(
    containers.map(({ Id }) =>
      client.change((docker) => docker.getContainer(Id).remove({ force: true, v: true }), remove)
    )
  )
  const deadline = performance.now() + client.timeouts.changeMs
  for (const { Id } of containers)
    while ((await client.inspect(Id, options)) !== undefined) {
      if (performance.now() > deadline)
        throw dockerError('ENGINE_TIMEOUT', 'docker did not remove a container')
      await delay(POLL_MS, options)
    }
}

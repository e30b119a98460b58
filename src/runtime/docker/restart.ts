import { delay } from '../../common/index.ts'
import { RuntimeError } from '../errors.ts'
import type { RestartOptions } from '../types.ts'
import { POLL_MS } from './constants.ts'
import type { DockerClient } from './docker-client.ts'
import { dockerError } from './docker-error.ts'
import { findContainers } from './find-container.ts'
import { stopContainers } from './remove.ts'

/** Starts one container again in place. When the holder has ended (after a reboot, say) there is no network to come back to. */
export async function restartContainer(
  client: DockerClient,
  workloadId: string,
  container: string,
  { graceMs = 0, signal }: RestartOptions
): Promise<void> {
  const options = { ...(signal && { signal }) }
  const { holder, containers } = await findContainers(client, workloadId, container, options)
  const [{ id, state }] = containers
  try {
    if (holder.State !== 'running')
      throw dockerError('RESTART_FAILED', 'the container that holds its network has ended')
    if (state === 'running') {
      if (graceMs > 0) await stopContainers(client, [id], graceMs, options)
      await client.kill(id, 'SIGKILL')
      const deadline = performance.now() + client.timeouts.changeMs
      while ((await client.inspect(id, options))?.State.Running === true && performance.now() < deadline)
        await delay(POLL_MS, options)
    }
    await client.change((docker) => docker.getContainer(id).start(), { what: 'start it', absent: [304] })
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof RuntimeError) || ['ENGINE_TIMEOUT', 'ENGINE_UNAVAILABLE'].includes(error.code))
      throw error
    throw dockerError(
      'RESTART_FAILED',
      `container "${container}" cannot be started again: ${error.message}`,
      {
        cause: error,
        workloadId
      }
    )
  }
}

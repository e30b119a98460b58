import { imagesOf } from '../../pod-fields.ts'
import type { DeployOptions, PodDocument } from '../../types.ts'
import type { Podman } from '../client/index.ts'
import { PULL_TIMEOUT_MS } from '../constants.ts'
import { podmanError } from '../podman-error.ts'

/**
 * Sees to it that every image of the pod is here, pulling by its policy: `Never` and images named localhost/… are never pulled,
 * `Always` always is, else what is missing is. Podman itself would try three times, 3 s long, also where nothing can come of it.
 * @throws RuntimeError IMAGE_NOT_FOUND, IMAGE_PULL_FAILED, ENGINE_TIMEOUT
 */
export async function ensureImages(podman: Podman, pod: PodDocument, options: DeployOptions): Promise<void> {
  const workloadId = pod.metadata.name
  for (const [image, policy] of imagesOf(pod)) {
    const here = await podman.ask((client) => client.imageExists(image, options), options)
    const local = image.startsWith('localhost/') || policy === 'Never'
    if (here && (local || policy !== 'Always')) continue
    if (local)
      throw podmanError(
        'IMAGE_NOT_FOUND',
        `image "${image}" is not on this machine, and is not to be pulled`,
        {
          workloadId,
          hint: `Load it there (podman load, podman import), or name an image that a registry has.`
        }
      )
    options.onState?.('pulling')
    await podman.run(['pull', '--quiet', image], {
      what: `pull "${image}"`,
      fallback: 'IMAGE_PULL_FAILED',
      timeoutMs: PULL_TIMEOUT_MS,
      network: true,
      workloadId,
      ...(options.signal && { signal: options.signal })
    })
  }
}

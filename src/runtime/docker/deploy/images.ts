import type { Abortable } from '../../../common/index.ts'
import { imagesOf, planImage } from '../../pod-fields.ts'
import type { DeployOptions, PodDocument } from '../../types.ts'
import { PULL_TIMEOUT_MS } from '../constants.ts'
import type { DockerClient } from '../docker-client.ts'
import { dockerError, toDockerError } from '../docker-error.ts'

/**
 * Sees to it that every image of the pod is here, pulling by its policy.
 * @returns the ID of each image, so that a tag that moves meanwhile changes nothing
 * @throws RuntimeError IMAGE_NOT_FOUND, IMAGE_PULL_FAILED, ENGINE_TIMEOUT
 */
export async function ensureImages(
  client: DockerClient,
  pod: PodDocument,
  options: DeployOptions
): Promise<Map<string, string>> {
  const workloadId = pod.metadata.name
  const ids = new Map<string, string>()
  for (const [image, policy] of imagesOf(pod)) {
    let id = await findImage(client, image, options)
    const plan = planImage(image, policy, id !== undefined)
    if (plan === 'refuse')
      throw dockerError(
        'IMAGE_NOT_FOUND',
        `image "${image}" is not on this machine, and is not to be pulled`,
        {
          workloadId,
          hint: 'Load it there (docker load, docker import), or name an image that a registry has.'
        }
      )
    if (plan === 'pull') {
      options.onState?.('pulling')
      await pull(client, image, workloadId, options)
      id = await findImage(client, image, options)
    }
    if (id === undefined)
      throw dockerError('IMAGE_NOT_FOUND', `image "${image}" was pulled, and is not there`, { workloadId })
    ids.set(image, id)
  }
  return ids
}

/** By name or manifest digest; else by the image's own ID, the only digest that an image has which was loaded and never pulled. */
async function findImage(
  client: DockerClient,
  image: string,
  options: Abortable
): Promise<string | undefined> {
  const inspect = (name: string) =>
    client.call((docker) => docker.getImage(name).inspect(), { ...options, what: 'look for an image' })
  const found = await inspect(image)
  if (found !== undefined) return found.Id
  const id = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1]
  return id === undefined ? undefined : (await inspect(id))?.Id
}

async function pull(
  client: DockerClient,
  image: string,
  workloadId: string,
  { signal }: Abortable
): Promise<void> {
  const what = `pull "${image}"`
  const call = {
    what,
    timeoutMs: PULL_TIMEOUT_MS,
    absent: [],
    fallback: 'IMAGE_PULL_FAILED',
    workloadId
  } as const
  const name = /@|:[^/]*$/.test(image) ? image : `${image}:latest` // because without a tag Docker pulls all there are
  await client.call(
    async (docker) => {
      const stream = await docker.pull(name)
      let rest = ''
      for await (const chunk of stream) {
        const lines = (rest + String(chunk)).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          const { error } = JSON.parse(line === '' ? '{}' : line) as { error?: string }
          if (error !== undefined)
            throw toDockerError(what, { message: error }, 'IMAGE_PULL_FAILED', workloadId)
        }
      }
    },
    { ...call, ...(signal && { signal }) }
  )
}

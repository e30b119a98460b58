import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Abortable } from '../../../common/index.ts'
import { imagesOf, planImage } from '../../pod-fields.ts'
import type { DeployOptions, PodDocument } from '../../types.ts'
import type { Podman } from '../client/index.ts'
import { INFO_TIMEOUT_MS, PULL_TIMEOUT_MS } from '../constants.ts'
import { podmanError } from '../podman-error.ts'

/**
 * Sees to it that every image of the pod is here, pulling by its policy. Podman itself would try three times, 3 s long, also where
 * nothing can come of it.
 * @returns what to call an image instead: its ID where `name@sha256:…` gives that and not a manifest's digest
 * @throws RuntimeError IMAGE_NOT_FOUND, IMAGE_PULL_FAILED, ENGINE_TIMEOUT
 */
export async function ensureImages(
  podman: Podman,
  pod: PodDocument,
  options: DeployOptions
): Promise<Map<string, string>> {
  const workloadId = pod.metadata.name
  const names = new Map<string, string>()
  for (const [image, policy] of imagesOf(pod)) {
    const known = await findLocal(podman, image, options)
    const plan = planImage(image, policy, known !== undefined)
    if (plan === 'refuse') {
      const damage = await findDamage(podman, options)
      throw podmanError(
        'IMAGE_NOT_FOUND',
        `image "${image}" is not on this machine, and is not to be pulled${damage === undefined ? '' : `; ${damage}`}`,
        {
          workloadId,
          hint: `Load it there (podman load, podman import), or name an image that a registry has.`
        }
      )
    }
    if (plan === 'use') {
      if (known !== undefined && known !== image) names.set(image, known)
      continue
    }
    options.onState?.('pulling')
    await podman.run(['pull', '--quiet', '--', image], {
      what: `pull "${image}"`,
      fallback: 'IMAGE_PULL_FAILED',
      timeoutMs: PULL_TIMEOUT_MS,
      network: true,
      workloadId,
      ...(options.signal && { signal: options.signal })
    })
  }
  return names
}

/** The name under which Podman has it. A digest may be that of an image, which stays the same on every way it is carried. */
async function findLocal(podman: Podman, image: string, options: Abortable): Promise<string | undefined> {
  const isHere = (name: string) => podman.ask((client) => client.imageExists(name, options), options)
  if (await isHere(image)) return image
  const id = /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1]
  return id !== undefined && (await isHere(id)) ? id : undefined
}

/** Words when the store may be damaged: with a torn list of images Podman 4.3 shows no image at all, sometimes without an error (measured 2026-11). */
async function findDamage(podman: Podman, options: Abortable): Promise<string | undefined> {
  try {
    const run = { what: 'say where its store is', timeoutMs: INFO_TIMEOUT_MS, ...options }
    const shown = await podman.run(['images', '--all', '--quiet'], run).catch(() => '')
    if (shown.trim() !== '') return undefined
    const format = '{{.Store.GraphRoot}}\n{{.Store.GraphDriverName}}'
    const [root = '', driver = ''] = (await podman.run(['info', '--format', format], run)).trim().split('\n')
    const path = join(root, `${driver}-images`, 'images.json')
    const content = await readFile(path, 'utf8').catch(() => '[]')
    try {
      JSON.parse(content === '' ? '[]' : content)
      return undefined
    } catch {
      return `podman's image store may be damaged: ${path} is no JSON`
    }
  } catch {
    options.signal?.throwIfAborted()
    return undefined
  }
}

import type { Abortable } from '../../common/index.ts'
import type { Podman } from './client/index.ts'
import { CLAIM_LABEL, DEPLOY_LABEL } from './constants.ts'
import { podmanError } from './podman-error.ts'

/** Makes the volumes of claims that are not there, marked with the deployment that made them. */
export async function createClaims(
  podman: Podman,
  names: readonly string[],
  deployId: string,
  options: Abortable
): Promise<void> {
  for (const name of names) {
    const known = await podman.ask((client) => client.inspectVolume(name, options), options)
    if (known !== undefined) continue
    const labels = { [CLAIM_LABEL]: name, [DEPLOY_LABEL]: deployId }
    await podman.ask((client) => client.createVolume(name, labels, {}), options)
    options.signal?.throwIfAborted()
  }
}

/** Removes the volumes that a failed deployment made, and no other. */
export async function removeNewClaims(podman: Podman, deployId: string): Promise<void> {
  for (const name of await podman.ask((client) => client.volumes(DEPLOY_LABEL, deployId, {})))
    await podman.ask((client) => client.removeVolume(name, {}))
}

/** @throws RuntimeError VOLUME_IN_USE, VOLUME_NOT_OURS */
export async function removeClaims(
  podman: Podman,
  names: readonly string[],
  options: Abortable
): Promise<void> {
  for (const name of names) {
    const known = await podman.ask((client) => client.inspectVolume(name, options), options)
    if (known === undefined) continue
    if (known.Labels?.[CLAIM_LABEL] !== name)
      throw podmanError('VOLUME_NOT_OURS', `volume "${name}" was not made by this engine, and stays`, {
        hint: `Remove it yourself if it is not needed: podman volume rm ${name}`
      })
    await podman.ask((client) => client.removeVolume(name, options), options)
  }
}

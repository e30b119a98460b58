import type { Abortable } from '../../common/index.ts'
import { CLAIM_LABEL, type DEPLOY_LABEL, type WORKLOAD_LABEL } from './constants.ts'
import type { DockerClient } from './docker-client.ts'
import { dockerError } from './docker-error.ts'

/** A volume that a deployment makes. */
export interface NewVolume {
  readonly name: string
  readonly labels: Record<string, string>
  readonly driverOptions?: Record<string, string>
}

export async function createVolume(client: DockerClient, volume: NewVolume): Promise<void> {
  const { name, labels, driverOptions = {} } = volume
  const create = { Name: name, Labels: labels, DriverOpts: driverOptions }
  await client.change((docker) => docker.createVolume(create), { what: 'create a volume' })
}

/** Whether there is a volume of this name, and ours; undefined when there is none. */
export async function findVolume(
  client: DockerClient,
  name: string,
  options: Abortable
): Promise<{ readonly labels: Readonly<Record<string, string>> } | undefined> {
  const found = await client.call((docker) => docker.getVolume(name).inspect(), {
    ...options,
    what: 'inspect a volume'
  })
  return found && { labels: found.Labels ?? {} }
}

/** Removes what a workload's emptyDirs were (`WORKLOAD_LABEL=…`), or all that a failed deployment made (`DEPLOY_LABEL=…`). */
export async function removeLabelled(
  client: DockerClient,
  label: typeof WORKLOAD_LABEL | typeof DEPLOY_LABEL,
  value: string,
  options: Abortable
): Promise<void> {
  const query = { filters: JSON.stringify({ label: [`${label}=${value}`] }) }
  const found = await client.call((docker) => docker.listVolumes(query), { ...options, what: 'list volumes' })
  for (const { Name } of found?.Volumes ?? []) await removeVolume(client, Name)
}

/** @throws RuntimeError VOLUME_IN_USE, VOLUME_NOT_OURS */
export async function removeClaims(
  client: DockerClient,
  names: readonly string[],
  options: Abortable
): Promise<void> {
  for (const name of names) {
    const known = await findVolume(client, name, options)
    if (known === undefined) continue
    if (known.labels[CLAIM_LABEL] !== name)
      throw dockerError('VOLUME_NOT_OURS', `volume "${name}" was not made by this engine, and stays`, {
        hint: `Remove it yourself if it is not needed: docker volume rm ${name}`
      })
    await removeVolume(client, name)
  }
}

async function removeVolume(client: DockerClient, name: string): Promise<void> {
  const remove = { what: 'remove a volume', absent: [404] }
  await client.change((docker) => docker.getVolume(name).remove(), remove)
}

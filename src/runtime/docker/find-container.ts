import type { Abortable } from '../../common/index.ts'
import { CONTAINER_LABEL, CONTAINERS_LABEL, INIT_LABEL } from './constants.ts'
import type { DockerClient, Found } from './docker-client.ts'
import { dockerError } from './docker-error.ts'
import { holderOf } from './status/status.ts'

/** A container of the manifest. */
export interface Named {
  readonly name: string
  readonly id: string
  readonly state: string
}

/** The containers of a workload in the manifest's order, or the one of that name. @throws RuntimeError WORKLOAD_NOT_FOUND */
export async function findContainers(
  client: DockerClient,
  workloadId: string,
  container: string | undefined,
  options: Abortable
): Promise<{ readonly holder: Found; readonly containers: readonly [Named, ...Named[]] }> {
  const found = await client.ofWorkload(workloadId, options)
  const holder = holderOf(found)
  const names = holder?.Labels[CONTAINERS_LABEL]?.split(',') ?? []
  const containers = names.flatMap((name) =>
    found
      .filter(({ Labels }) => Labels[CONTAINER_LABEL] === name && !(INIT_LABEL in Labels))
      .map(({ Id, State }) => ({ name, id: Id, state: State }))
  )
  const [first, ...others] = containers.filter(({ name }) => container === undefined || name === container)
  if (holder !== undefined && first !== undefined) return { holder, containers: [first, ...others] }
  const why =
    containers.length === 0
      ? `there is no workload "${workloadId}" on this machine`
      : `workload "${workloadId}" has no container "${container}"; it has ${names.join(', ')}`
  throw dockerError('WORKLOAD_NOT_FOUND', why, { workloadId })
}

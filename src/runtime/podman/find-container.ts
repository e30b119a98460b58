import type { Abortable } from '../../common/index.ts'
import type { Podman } from './client/index.ts'
import { podmanError } from './podman-error.ts'
import type { PsEntry } from './types.ts'

/** The containers of a workload, or the one of that name, without the infra container. @throws RuntimeError WORKLOAD_NOT_FOUND */
export async function findContainers(
  podman: Podman,
  workloadId: string,
  container: string | undefined,
  options: Abortable
): Promise<PsEntry[]> {
  const entries = await podman.podContainers(workloadId, options)
  const own = entries.filter(({ IsInfra }) => !IsInfra)
  const chosen = own.filter(
    (entry) => container === undefined || containerName(entry, workloadId) === container
  )
  if (chosen.length > 0) return chosen
  const names = own.map((entry) => containerName(entry, workloadId)).join(', ')
  const why =
    own.length === 0
      ? `there is no workload "${workloadId}" on this machine`
      : `workload "${workloadId}" has no container "${container}"; it has ${names}`
  throw podmanError('WORKLOAD_NOT_FOUND', why, { workloadId })
}

/** The one of that name, or the first to have been created. @throws RuntimeError WORKLOAD_NOT_FOUND */
export async function findContainer(
  podman: Podman,
  workloadId: string,
  container: string | undefined,
  options: Abortable
): Promise<PsEntry> {
  const found = await findContainers(podman, workloadId, container, options)
  return found.reduce((first, entry) => (Number(entry.Created) < Number(first.Created) ? entry : first))
}

/** Its name in the manifest: Podman puts the pod's before it. */
export function containerName({ Names, Id }: Pick<PsEntry, 'Names' | 'Id'>, workloadId: string): string {
  return Names[0]?.slice(workloadId.length + 1) ?? Id
}

import { readFile, writeFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { Abortable } from '../../../common/index.ts'
import { SIGKILL_EXIT } from '../../workload-state.ts'
import type { Podman } from '../client/index.ts'

/**
 * Does what a killed conmon left undone: writes the file from which Podman learns that a container has ended. Because Podman itself
 * waits 5 s for that file and then gives up, and a `podman stop` that is interrupted meanwhile leaves the container "stopping" for
 * ever (measured 2026-11). Where it lies is known from the conmon of another container of the pod.
 * @returns false when no such conmon lives
 */
export async function writeExitFile(
  podman: Podman,
  { id, workloadId }: { readonly id: string; readonly workloadId: string },
  options: Abortable
): Promise<boolean> {
  for (const { Id } of await podman.podContainers(workloadId, options)) {
    if (Id === id) continue
    const inspect = await podman.ask((client) => client.inspectContainer(Id, options), options)
    const words = await readFile(`/proc/${inspect?.State.ConmonPid}/cmdline`, 'utf8').catch(() => '')
    const directory = exitDirectory(words.split('\0'), Id)
    if (directory === undefined) continue
    await writeFile(join(directory, id), String(SIGKILL_EXIT), { mode: 0o600 })
    return true
  }
  return false
}

function exitDirectory(words: readonly string[], id: string): string | undefined {
  const directory = words[words.indexOf('--exit-dir') + 1] ?? ''
  return words.includes(id) && words.includes('--exit-dir') && isAbsolute(directory) ? directory : undefined
}

import type { Abortable } from '../../../common/index.ts'
import type { ContainerInspect, PodInspect, PsEntry, PsFilter, VolumeInspect } from '../types.ts'

/**
 * The few questions and small commands this engine has for Podman, each with its own deadline. Two means: the REST socket, and
 * the command line. What does not exist is `undefined` (reads) or success (removals), so that callers need not tell races apart.
 */
export interface PodmanClient {
  /**
   * Those that a filter of Podman's lets through, running or not. Never all there are: Podman takes the lock of each that it shows, so
   * one that hangs would make all others look as if they hung. Fails when one of them is just being removed; ask again then.
   */
  containers(filter: PsFilter, options: Abortable): Promise<PsEntry[]>
  /** By name or ID. */
  inspectPod(pod: string, options: Abortable): Promise<PodInspect | undefined>
  inspectContainer(id: string, options: Abortable): Promise<ContainerInspect | undefined>
  imageExists(image: string, options: Abortable): Promise<boolean>
  /** Sends a signal; a container that does not run is no error. */
  killContainer(id: string, signalName: string, options: Abortable): Promise<void>
  /** Starts a container that has ended; one that runs is no error. */
  startContainer(id: string, options: Abortable): Promise<void>
  /** Removes the pod and its containers, killing what still runs. */
  removePod(id: string, options: Abortable): Promise<void>
  /** Goes on when its caller gives up, because Podman would make the volume after the caller has tidied up. */
  createVolume(
    name: string,
    labels: Record<string, string>,
    driverOptions: Record<string, string>
  ): Promise<void>
  /** Names of the volumes with this label. */
  volumes(label: string, value: string, options: Abortable): Promise<string[]>
  /** Undefined when there is none. */
  inspectVolume(name: string, options: Abortable): Promise<VolumeInspect | undefined>
  removeVolume(name: string, options: Abortable): Promise<void>
}

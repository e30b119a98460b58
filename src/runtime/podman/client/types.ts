import type { Abortable } from '../../../common/index.ts'
import type { ContainerInspect, PodInspect, PsEntry, VolumeInspect } from '../types.ts'

/**
 * The few questions and small commands this engine has for Podman, each with its own deadline. Two means: the REST socket, and
 * the command line. What does not exist is `undefined` (reads) or success (removals), so that callers need not tell races apart.
 */
export interface PodmanClient {
  /**
   * All there are, running or not. Without a filter: Podman answers one for a pod that is not there, and one that runs into a pod that is
   * just being removed, with the same error, and that must not look like "there are none".
   */
  containers(options: Abortable): Promise<PsEntry[]>
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
  createVolume(
    name: string,
    labels: Record<string, string>,
    driverOptions: Record<string, string>,
    options: Abortable
  ): Promise<void>
  /** Names of the volumes with this label. */
  volumes(label: string, value: string, options: Abortable): Promise<string[]>
  /** Undefined when there is none. */
  inspectVolume(name: string, options: Abortable): Promise<VolumeInspect | undefined>
  removeVolume(name: string, options: Abortable): Promise<void>
}

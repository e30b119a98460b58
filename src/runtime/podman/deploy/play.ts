import type { Abortable } from '../../../common/index.ts'
import type { PodDocument } from '../../types.ts'
import { isGone, type Podman, type RestClient } from '../client/index.ts'
import { ABORTED_PLAY_MS, LOG_MAX_SIZE, PLAY_TIMEOUT_MS, PLAY_WITH_INIT_TIMEOUT_MS } from '../constants.ts'
import { removeHalfMade } from '../remove.ts'

/** A container that Podman's storage has and Podman itself does not know: it was killed between the two. The pod is ours by its name. */
const STORED = /creating container storage: the container name "([^"]+)" is already in use/

/**
 * `podman kube play` of one pod: over the socket (0.7 of the time that a process of its own takes, measured 2026-11), where the pod has no
 * init containers. Because a play that waits for those may have to be ended in the middle, and only a process can be.
 */
/** @default the engine's own network */
interface PlayOptions extends Abortable {
  readonly network?: 'none' | undefined
}

export async function playPod(
  podman: Podman,
  pod: PodDocument,
  { network, ...options }: PlayOptions
): Promise<void> {
  const leftovers = pod.spec.containers.length // because a play that is killed leaves at most the one it was just making
  for (let attempt = 0; ; attempt++) {
    options.signal?.throwIfAborted()
    try {
      const service = pod.spec.initContainers === undefined ? await podman.service(options) : undefined
      if (service === undefined) await playByCommand(podman, pod, { ...options, network })
      else await playByService(podman, service, { ...options, network, pod })
      return options.signal?.throwIfAborted()
    } catch (error) {
      const name = STORED.exec(String(error))?.[1]
      if (name === undefined || attempt === leftovers) throw error
      await removeHalfMade(podman, pod.metadata.name, options)
      await podman.run(['rm', '--force', '--', name], {
        what: 'remove what a killed podman left behind',
        timeoutMs: podman.timeouts.removeMs,
        ...options
      })
    }
  }
}

/**
 * Never lets go of a play that may still be going on, because it would make its pod after we have tidied up: what does not end is ended
 * with the service. Others whose play ends with it, or with a service that was killed, play once more by the command line.
 */
async function playByService(
  podman: Podman,
  service: RestClient,
  { pod, signal, network }: { readonly pod: PodDocument } & PlayOptions
): Promise<void> {
  const timeoutMs = podman.timeouts.playMs ?? PLAY_TIMEOUT_MS
  try {
    await graceAfterAbort({ ...(signal && { signal }) }, (given) =>
      service.play(pod, { logMaxSize: LOG_MAX_SIZE, network, timeoutMs, signal: given })
    )
  } catch (error) {
    const { code } = error as { code?: string }
    if (!isGone(error) && code !== 'ENGINE_TIMEOUT' && error !== signal?.reason) throw error
    await podman.endService(service)
    signal?.throwIfAborted()
    if (code === 'ENGINE_TIMEOUT') throw error
    await removeHalfMade(podman, pod.metadata.name, { ...(signal && { signal }) })
    await playByCommand(podman, pod, { network, ...(signal && { signal }) })
  }
}

async function playByCommand(
  podman: Podman,
  pod: PodDocument,
  { network, ...options }: PlayOptions
): Promise<void> {
  const withInit = pod.spec.initContainers !== undefined
  const logs = ['--log-driver', 'k8s-file', '--log-opt', `max-size=${LOG_MAX_SIZE}`]
  const isolation = network === undefined ? [] : ['--network', network]
  await graceAfterAbort(options, (signal) =>
    podman.run(['kube', 'play', '--quiet', ...logs, ...isolation, '-'], {
      what: `start "${pod.metadata.name}"`,
      fallback: 'START_FAILED',
      input: JSON.stringify(pod), // JSON is YAML
      timeoutMs: podman.timeouts.playMs ?? (withInit ? PLAY_WITH_INIT_TIMEOUT_MS : PLAY_TIMEOUT_MS),
      workloadId: pod.metadata.name,
      signal
    })
  )
}

/**
 * An abort lets a play that is nearly done finish, and the caller removes what it made. Killing it in the middle leaves network
 * namespaces that belong to no container (one in 24 aborts, measured 2026-11), which nothing ever removes.
 */
async function graceAfterAbort(
  { signal }: Abortable,
  act: (signal: AbortSignal) => Promise<unknown>
): Promise<void> {
  const kill = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const onAbort = () => {
    timer = setTimeout(() => kill.abort(signal?.reason), ABORTED_PLAY_MS)
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    await act(kill.signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

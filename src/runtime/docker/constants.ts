/** What the engine is called in manifests and errors. */
export const ENGINE = 'docker'
export const DEFAULT_SOCKET_PATH = '/var/run/docker.sock'

/** Docker 20.10, which is what is tested. */
export const MIN_API_VERSION = [1, 41] as const

/** One list or inspect, ms. Measured 2026-11: 1-3 ms. */
export const READ_TIMEOUT_MS = 5_000
/** One create, start, kill or removal, ms. Measured 2026-11: 0.05-0.3 s. */
export const CHANGE_TIMEOUT_MS = 30_000
/** Init containers run to their end inside `deploy`, ms. Chosen, no evidence yet. */
export const INIT_TIMEOUT_MS = 600_000
/** One pull, ms. Chosen: 1 GB at 2 MB/s. */
export const PULL_TIMEOUT_MS = 600_000
/** How often to look whether containers have ended, ms. */
export const POLL_MS = 25

/** On everything of a workload: its ID. */
export const WORKLOAD_LABEL = 'io.beemesh.workload'
/** On everything that one `deploy` made, so that a failed one removes that and nothing else. */
export const DEPLOY_LABEL = 'io.beemesh.deploy'
/** On a container: its name in the manifest; on the holder there is none. */
export const CONTAINER_LABEL = 'io.beemesh.container'
/** On the holder: names of the containers there must be, in the manifest's order, with commas. */
export const CONTAINERS_LABEL = 'io.beemesh.containers'
/** On an init container. */
export const INIT_LABEL = 'io.beemesh.init'
/** On a claim's volume: its name. Volumes without it are not ours to remove. */
export const CLAIM_LABEL = 'io.beemesh.claim'
/** Not shown outside. */
export const OWN_LABEL_NAMES: ReadonlySet<string> = new Set([
  WORKLOAD_LABEL,
  DEPLOY_LABEL,
  CONTAINER_LABEL,
  CONTAINERS_LABEL,
  INIT_LABEL
])

/** The holder's image, made here when it is missing; see deploy/holder-image.ts. */
export const HOLDER_IMAGE = 'localhost/beemesh-holder:1'
/** Where the holder sees the volumes of the pod. */
export const HOLDER_VOLUMES = '/volumes'

/** A chatty container cannot fill the disk: two files of this size, the older goes. Chosen; as for Podman. */
export const LOG_OPTIONS = { 'max-size': '16m', 'max-file': '2' } as const

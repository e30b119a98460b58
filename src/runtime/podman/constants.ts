/** What the engine is called in manifests and errors. */
export const ENGINE = 'podman'

/** `podman kube play` from standard input, and secrets beside it, as this engine uses them; 4.3.1 is what is tested. */
export const MIN_PODMAN_VERSION = [4, 3] as const

/** One read (status, list, inspect), ms. Measured 2026-11: 1-3 ms over the socket, 30 ms through the CLI. */
export const READ_TIMEOUT_MS = 5_000
/** How often to look for new cgroups of a pod that is being started, ms. */
export const PIDS_POLL_MS = 10
/** How often one list of containers is asked for while others are being removed. Chosen. */
export const LIST_ATTEMPTS = 10
/** `podman info`, ms. Measured 2026-11: 0.2 s; several seconds on a first run that converts its storage. */
export const INFO_TIMEOUT_MS = 20_000
/** `podman kube play` of a pod without init containers, ms. Measured 2026-11: 0.2-0.4 s on two cores. */
export const PLAY_TIMEOUT_MS = 60_000
/** The same with init containers, which run to their end inside `play`, ms. Chosen, no evidence yet. */
export const PLAY_WITH_INIT_TIMEOUT_MS = 600_000
/** How long an aborted `play` may still finish by itself before it is killed, ms. */
export const ABORTED_PLAY_MS = 2_000
/** `podman pull` of one image, ms. Chosen: 1 GB at 2 MB/s. */
export const PULL_TIMEOUT_MS = 600_000
/** One kill, or removing one pod, ms. Measured 2026-11: 0.2 s, and 3.5-5 s when conmon has been killed. */
export const REMOVE_TIMEOUT_MS = 30_000
/** How often one `remove` tries. Two are needed where conmon was killed. */
export const REMOVE_ATTEMPTS = 3
/** How long an interrupted command may tidy up between SIGTERM and SIGKILL, ms. */
export const FORCE_KILL_AFTER_MS = 2_000

/** How long to wait for the pod's processes to be gone before `rm`, ms; `rm` works without, but takes 3 s longer. */
export const TEARDOWN_WAIT_MS = 5_000
/** How often to look meanwhile, ms. */
export const TEARDOWN_POLL_MS = 15

/** How long the service process may take to answer, ms. Measured 2026-11: 0.1 s. */
export const SERVICE_START_TIMEOUT_MS = 10_000
/** A service that answers no ping within this is taken for hung, ms. Measured 2026-11: under 1 ms. Chosen: for a machine under load. */
export const PING_TIMEOUT_MS = 3_000
/** The service ends by itself after this long without a request, s: so none stays when the node was killed with SIGKILL. */
export const SERVICE_IDLE_S = 60
/** After the service could not be started, the CLI does its work for this long, ms. */
export const SERVICE_RETRY_MS = 60_000
/** How often a question is asked when the service has ended, and how long to wait in between (times the attempt), ms. */
export const GONE_ATTEMPTS = 4
export const GONE_PAUSE_MS = 20
/** Version in the path of every request; Podman serves all older versions too. */
export const API_BASE = '/v4.0.0/libpod'

/** How often a followed log file is looked at, ms, and after how many empty looks the container's state is asked for. */
export const LOG_POLL_MS = 100
export const LOG_POLLS_PER_STATE = 5
/** Bytes read from a log file at once. */
export const LOG_CHUNK_BYTES = 64 * 1024
/** A longer line is cut into pieces, bytes: bounds memory whatever a container writes. */
export const LOG_MAX_LINE_BYTES = 256 * 1024
/** conmon starts a log file anew at this size, so that a chatty container cannot fill the disk. Chosen. */
export const LOG_MAX_SIZE = '16mb'

/** Pod label: which `deploy` call made it, so that a failed call removes what it made and never another's. Not shown outside. */
export const DEPLOY_LABEL = 'io.beemesh.deploy'
/** Pod label: the limit of processes, because Podman forgets it with the container's cgroup. Not shown outside. */
export const PIDS_LABEL = 'io.beemesh.pids'
/** Volume label of a claim: its name. Volumes without it are not ours to remove. */
export const CLAIM_LABEL = 'io.beemesh.claim'
/** Volume label: the workload whose emptyDir this is. */
export const VOLUME_LABEL = 'io.beemesh.workload'

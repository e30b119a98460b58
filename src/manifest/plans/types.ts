/** How a newer version takes the place of an older one. All numbers are of copies, percentages already worked out. */
export interface Rollout {
  /** RollingUpdate keeps old copies until new ones are ready; Recreate stops all old ones first. */
  readonly strategy: 'RollingUpdate' | 'Recreate'
  /** Copies that may run above `replicas`. With `perNode`: 1 when a node starts the new copy first, else 0. */
  readonly maxSurge: number
  /** Copies that may be missing. With `perNode`: 1 when a node stops the old copy first, else 0. */
  readonly maxUnavailable: number
  /** Without progress for so long, the rollout has failed and is rolled back. */
  readonly progressDeadlineMs: number
  /** How long a new copy must be ready before it counts. */
  readonly minReadyMs: number
  /** Copies one after the other, by ordinal: a StatefulSet with podManagementPolicy OrderedReady. */
  readonly ordered: boolean
}

/** What a Job does until it is done. */
export interface JobPlan {
  readonly completions: number
  /** Copies at one time, at most `completions`; 0 runs nothing. */
  readonly parallelism: number
  /** Failures after which it has failed. */
  readonly backoffLimit: number
  /** Longest time for all of it, from its start. */
  readonly activeDeadlineMs?: number
  /** When it is removed after its end; undefined keeps it. */
  readonly ttlMs?: number
  /** Whether each completion has its number in JOB_COMPLETION_INDEX. */
  readonly indexed: boolean
}

/** When a CronJob starts a Job. */
export interface CronPlan {
  readonly schedule: string
  /** IANA name. */
  readonly timeZone: string
  readonly concurrencyPolicy: 'Allow' | 'Forbid' | 'Replace'
  readonly suspend: boolean
  /** A run later than this is skipped; undefined makes up for the last missed one. */
  readonly startingDeadlineMs?: number
  /** Finished runs to keep. */
  readonly successfulHistory: number
  readonly failedHistory: number
}

/** What to do when machines cannot see each other, or are gone. Chosen by annotation. */
export interface Recovery {
  readonly onPartition: 'keep' | 'stop' | 'fence'
  readonly onNodeLoss: 'keep' | 'recreate'
}

import type { Startable } from '@libp2p/interface'
import type { SealedKey, WorkloadState } from '../generated/fbs/index.ts'
import type { Network, SigningKey } from '../identity/index.ts'
import type { RestartPolicy, WorkloadKind } from '../manifest/index.ts'
import type { EnginePort, EngineRegistry } from '../runtime/index.ts'
import type { SealingKey } from '../sealing/index.ts'
import type { Store } from '../store/index.ts'
import type { Doors } from '../wire/index.ts'

/** One copy on this node, as written to disk. */
export interface StoredWorkload {
  readonly workloadId: string
  readonly ordinal: number
  readonly engine: string
  readonly state: WorkloadState
  readonly ports: readonly EnginePort[]
  readonly startedAtMs?: number
  readonly message?: string
}

/** One manifest on this node, as written to disk. Deleted ones stay as a tombstone, so that no old version comes back. */
export interface StoredManifest {
  readonly manifestId: Uint8Array
  /** Peer ID. */
  readonly owner: string
  readonly version: number
  /** sha256 of the signed record's body: two different ones at one version are equivocation. */
  readonly recordDigest: Uint8Array
  /** SignedObject of kind record. */
  readonly record: Uint8Array
  readonly tombstone: boolean
  /** ms since epoch; a tombstone may be forgotten after it. */
  readonly notAfterMs: number
  /** Absent in a tombstone. */
  readonly content?: {
    readonly ciphertext: Uint8Array
    readonly sealedKey: SealedKey
    /** sha256 of the decrypted document: tells whether a newer version changed anything. */
    readonly digest: Uint8Array
  }
  readonly kind: WorkloadKind
  readonly name: string
  readonly namespace: string
  readonly replicas: number
  readonly restartPolicy: RestartPolicy
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number
  readonly workloads: readonly StoredWorkload[]
}

export interface WorkloadsInit {
  readonly network: Network
  readonly key: SigningKey
  /** Shown in answers. */
  readonly nodeName: string
  readonly store: Store
  readonly sealingKey: SealingKey
  readonly engines: EngineRegistry
  /** Engine to take when the manifest names none. */
  readonly preferredEngine?: string
  /** Address that host ports are opened on where the manifest does not say. */
  readonly publishAddress: string
  readonly doors: Doors
  /** false: takes no workloads. @default true */
  readonly scheduling?: boolean
  /** @default {@link PORT_RANGE} */
  readonly portRange?: { readonly first: number; readonly last: number }
  /** @default {@link MAX_CONCURRENT_DEPLOYMENTS} */
  readonly maxConcurrentDeployments?: number
  readonly now?: () => number
}

export interface WorkloadsService extends Startable {
  /** What this node holds, tombstones left out. */
  list(): StoredManifest[]
}

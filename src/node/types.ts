import type { Libp2p, Startable } from '@libp2p/interface'
import type { AuditService } from '../audit/index.ts'
import type { Config } from '../config/index.ts'
import type { Network } from '../identity/index.ts'
import type { MembersService } from '../members/index.ts'
import type { ProvidersService } from '../providers/index.ts'
import type { SchedulerService } from '../scheduler/index.ts'
import type { SealingKeyRotation } from '../sealing/index.ts'
import type { WorkloadsService } from '../workloads/index.ts'

/** A running (or startable) node. */
export interface BeemeshNode extends Startable {
  readonly peerId: string
  readonly name: string
  readonly role: Config['role']
  readonly network: Network
  /** Peer IDs it obeys. */
  readonly owners: readonly string[]
  /** What workloads run on unless their manifest says otherwise; 'none' when no engine is available. */
  readonly engine: string
  /** What the first start made. */
  readonly created: readonly ('node' | 'identity' | 'network')[]
  readonly libp2p: Libp2p
  readonly services: {
    readonly members: MembersService
    readonly providers: ProvidersService
    readonly workloads: WorkloadsService
    readonly audit: AuditService
    readonly scheduler: SchedulerService
  }
  /** Replaces the key that others seal to, now or when it is old. */
  readonly sealing: SealingKeyRotation
  readonly socketPath: string
  /** Full addresses, ending in /p2p/PEERID. */
  addresses(): string[]
  /** Where metrics are served, HOST:PORT; undefined: nowhere. */
  metricsAddress(): string | undefined
  start(): Promise<void>
  /** Closes everything; workloads keep running. */
  stop(): Promise<void>
}

import type { Revocation, TrustState } from '../../trust/index.ts'
import type { ChainTable } from '../chain-table.ts'
import type { RevocationTable } from '../revocation-table.ts'
import type { GuestsInit } from '../types.ts'

/** What every verb of this folder works with. */
export interface GuestsContext {
  /** Uint8Array(32), the node's public key. */
  readonly self: Uint8Array
  readonly networkId: Uint8Array
  readonly chains: ChainTable
  readonly revocations: RevocationTable
  readonly trust: () => TrustState
  /** Keeps a revocation. @returns whether it is new, and its author's word may count */
  readonly add: (revocation: Revocation) => Promise<boolean>
  readonly changeOwners: GuestsInit['changeOwners']
  /** Passes new ones on to the neighbours. */
  readonly tell: (fresh: readonly Revocation[]) => void
}

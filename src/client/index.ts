/**
 * What an owner does: seal, sign, submit, follow, find, delete. Speaks to one node, the entry node, which passes on what is for
 * others and can read none of it. Stands apart from the daemon: it holds the owner's key and no daemon state. The command
 * line, the API and the examples all use it.
 *
 * @example
 * ```ts
 * const { key } = await loadOrCreateSigningKey('/home/me/.config/beemesh/identity')
 * const session = new Session(key, localConnection(await theLocalNode(runtimeDir())))
 * const client = new Client({ session })
 * const [result] = await client.apply(parseManifests(yaml))
 * ```
 */
export { dealCopies } from './apply/deal.ts'
export { describePlan, type PlanView } from './apply/dry-run.ts'
export {
  RECORD_LIFETIME_MS,
  type SealedManifest,
  sealManifest,
  signTombstone,
  TOMBSTONE_LIFETIME_MS
} from './apply/seal.ts'
export type {
  AuditEntryView,
  AuditFaultView,
  AuditQuery,
  AuditVerdict,
  AuditWitnessView
} from './audit/types.ts'
export { Client, type ClientInit } from './client.ts'
export { localConnection, type NodeConnection, remoteConnection } from './connection/connection.ts'
export {
  advertiseLocalNode,
  findLocalNodes,
  type LocalNode,
  runtimeDir,
  theLocalNode
} from './connection/local-nodes.ts'
export { pnetKey } from './connection/pnet-key.ts'
export { Session, type Target } from './connection/session.ts'
export { cordon, type DrainView, drain, type MovedView } from './drain/drain.ts'
export { type MoveView, planRebalance, rebalance } from './drain/rebalance.ts'
export { CLIENT_ERROR_CODES, ClientError, type ClientErrorCode } from './errors.ts'
export type { ExecQuery, TerminalSize } from './exec.ts'
export { grantFolder, readGrants, removeGrant, saveGrant } from './grants/grant-folder.ts'
export { formatGrant, parseGrant } from './grants/grant-text.ts'
export { createGrant, type HeldGrants, listGrants, presentGrants, revokeGrants } from './grants/grants.ts'
export { createInvite, parseInvite } from './grants/invite.ts'
export {
  abandonRotation,
  exchangeKeys,
  noteWaiting,
  openRotation,
  type Rotation,
  type WaitingNode
} from './grants/rotation-files.ts'
export { addSuccessor, removePredecessor, type Succession, type Told, tellEach } from './grants/succession.ts'
export { changeTrust } from './grants/trust.ts'
export type { SeenNode } from './nodes.ts'
export type { EvictOptions, GuestManifest } from './on-node/evict.ts'
export type { HeldView, InspectionView, RecordView } from './on-node/inspect.ts'
export { type ChangeOptions, restart, scale } from './own/change.ts'
export { explain } from './own/explain.ts'
export {
  type RolloutHistory,
  type RolloutStatus,
  rolloutHistory,
  rolloutStatus,
  undo
} from './own/rollout.ts'
export type {
  ApplyOptions,
  DeleteOptions,
  EventsQuery,
  EventView,
  FoundProvider,
  LogLineView,
  LogsQuery,
  ManifestResult,
  ManifestStatusView,
  Placement,
  PlacementStats,
  ProgressEvent,
  WorkloadEventView
} from './types.ts'

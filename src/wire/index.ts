/**
 * How messages travel: protocols as data, request and answer over libp2p streams or the local socket, forwarding through
 * an entry node, credit, budgets, the replay guard. Stands apart so that services only see requests that passed every
 * check. Never knows what a workload is.
 *
 * @example
 * ```ts
 * doors.open('status', QUERY, async ({ payload, reply }) => {
 *   await reply.send(encodeStatusReply({ nodeName: 'kestrel' }), { last: true })
 * })
 * ```
 */
export { createRequest, type RequestInit, type SignedRequest } from './asker.ts'
export { CREDIT_FRAMES, readCredited } from './channel/credit.ts'
export { type FrameChannel, socketChannel, streamChannel } from './channel/frame-channel.ts'
export { LocalSocket } from './channel/local-socket.ts'
export { blameOf } from './conduct/blame.ts'
export { Conduct, type ConductHost } from './conduct/conduct.ts'
export { Penalties } from './conduct/penalties.ts'
export { Budget, type BudgetLimits } from './doors/budget.ts'
export { Doors, type DoorsInit, localGreeting } from './doors/doors.ts'
export { type DoorsService, doorsService } from './doors/doors-service.ts'
export { ReplayGuard } from './doors/replay-guard.ts'
export type { Responder } from './doors/responder.ts'
export type { Asked, OwnerRequest, Refused } from './doors/types.ts'
export { openError, RemoteError, WIRE_ERROR_CODES, WireError, type WireErrorCode } from './errors.ts'
export { JudgedTopic } from './gossip/judged-topic.ts'
export type { Gossip, GossipJudge, GossipVerdict } from './gossip/types.ts'
export { type PeerRequests, PeerWire, type PeerWireInit } from './peer-request.ts'
export {
  FORWARD_PROTOCOL_NAME,
  MAX_ENVELOPE_BYTES,
  MAX_STREAMS,
  OWNER_PROTOCOLS,
  type OwnerProtocolName,
  PEER_PROTOCOLS,
  PROBE_PROTOCOL,
  type Protocol,
  protocolId
} from './protocols.ts'

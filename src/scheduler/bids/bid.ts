import { equalBytes, safeText } from '../../common/index.ts'
import { decode, openObject, signObject } from '../../envelope/index.ts'
import { BID, type BidRequest, encodeBid } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import { type PlacementRules, parseRules } from '../../manifest/index.ts'
import { type Candidate, plan } from '../plan/index.ts'
import type { World } from '../types.ts'

/** A bid is believed for so long. Chosen: a plan is made and carried out within seconds. */
export const BID_LIFETIME_MS = 30_000
const MAX_REFUSAL_LENGTH = 250
const MAX_STATED_ORDINALS = 64
/** Half the reliability is reached after so long without a restart, s. Chosen. */
const STEADY_S = 600

/** Placement rules that let every node be. */
export const NO_RULES: PlacementRules = {
  strategy: 'auto',
  nodes: [],
  nodeSelector: {},
  requiredTerms: [],
  preferredTerms: [],
  apart: [],
  tolerations: [],
  spread: [],
  priority: 0
}

/** @throws ManifestError when what an owner signed cannot be read */
export function rulesOf(placement: string | undefined): PlacementRules {
  return placement === undefined ? NO_RULES : parseRules(placement)
}

/** What a bid says, checked; made for the planner. */
export interface BidView extends Candidate {
  /** Why it would not take a copy; empty: it would. */
  readonly refusals: readonly string[]
  /** SignedObject of kind bid. */
  readonly bid: Uint8Array
}

/** This node as a candidate for copies of a manifest. */
export function ownCandidate(
  world: World,
  { manifestId, owner, placement }: Pick<BidRequest, 'manifestId' | 'owner' | 'placement'>
): Candidate {
  const self = world.neighbours().find((one) => one.self)!
  const { free, allocatable } = world.workloads.resources()
  const runs = manifestId === undefined ? undefined : world.workloads.get(manifestId)
  const upSeconds = (world.now() - world.startedAtMs) / 1000
  const { priority } = rulesOf(placement)
  const freeable =
    owner && world.workloads.freeable?.({ manifestId, owner: peerIdFromPublicKey(owner), priority })
  return {
    ...(freeable === undefined || freeable.pods === 0 ? {} : { freeable }),
    peerId: self.peerId,
    name: self.name,
    labels: self.labels,
    engines: self.engines,
    scheduling: self.scheduling,
    free,
    allocatable,
    load: world.load(),
    reliability: reliability(upSeconds),
    ordinals: runs === undefined || runs.tombstone ? [] : runs.workloads.map(({ ordinal }) => ordinal)
  }
}

function reliability(upSeconds: number): number {
  return Math.max(0, upSeconds) / (Math.max(0, upSeconds) + STEADY_S)
}

/**
 * This node's bid. One that would not take a copy and runs none stays silent unless it is asked to explain.
 * @returns SignedObject of kind bid, or undefined
 */
export function makeBid(world: World, request: BidRequest): Uint8Array | undefined {
  const candidate = ownCandidate(world, request)
  const refusals = whyNot(candidate, request)
  if (refusals.length > 0 && candidate.ordinals.length === 0 && !request.explain) return undefined
  const body = encodeBid({
    requestId: request.requestId,
    nodeName: candidate.name,
    issuedAt: world.now(),
    freeCpuMillis: whole(candidate.free.cpuMillis),
    freeMemoryBytes: whole(candidate.free.memoryBytes),
    freeStorageBytes: whole(candidate.free.storageBytes),
    freePods: whole(candidate.free.pods),
    allocatableCpuMillis: whole(candidate.allocatable.cpuMillis),
    allocatableMemoryBytes: whole(candidate.allocatable.memoryBytes),
    loadPermille: Math.round(candidate.load * 1000),
    upSeconds: whole((world.now() - world.startedAtMs) / 1000),
    labels: Object.entries(candidate.labels).map(([key, value]) => ({ key, value })),
    engines: [...candidate.engines],
    scheduling: candidate.scheduling,
    freeableCpuMillis: whole(candidate.freeable?.cpuMillis ?? 0),
    freeableMemoryBytes: whole(candidate.freeable?.memoryBytes ?? 0),
    freeablePods: whole(candidate.freeable?.pods ?? 0),
    ordinals: candidate.ordinals.slice(0, MAX_STATED_ORDINALS),
    refusals: refusals.map((one) => one.slice(0, MAX_REFUSAL_LENGTH))
  })
  return signObject({ kind: 'bid', body, key: world.key, networkId: world.networkId })
}

/** By the same planner that chooses: what keeps a copy from this node, alone with it. */
function whyNot(candidate: Candidate, request: BidRequest): string[] {
  const { cpuMillis, memoryBytes, storageBytes, engine } = request
  const rules = rulesOf(request.placement)
  const alone = { ...rules, apart: [], spread: [] } // because what is about other nodes the planner judges that sees them
  const perCopy = { cpuMillis, memoryBytes, storageBytes }
  const tried = plan(
    { candidates: [candidate] },
    { rules: alone, perCopy, engine, ordinals: [0], perNode: false },
    () => 0
  )
  return tried.unplaced.length === 0 ? [] : tried.explained.map(({ reason }) => reason)
}

function whole(value: number): number {
  return Math.max(0, Math.floor(Number.isFinite(value) ? value : Number.MAX_SAFE_INTEGER))
}

/** @throws EnvelopeError, SchedulerError when it is not an answer to this request */
export function openBid(
  bid: Uint8Array,
  { networkId, requestId, roundTripMs }: { networkId: Uint8Array; requestId: Uint8Array; roundTripMs: number }
): BidView | undefined {
  const { author, body } = openObject(bid, { kind: 'bid', networkId })
  const said = decode(BID, body)
  if (!equalBytes(said.requestId, requestId)) return undefined
  return {
    peerId: peerIdFromPublicKey(author),
    name: safeText(said.nodeName, 63),
    labels: Object.fromEntries(
      said.labels.map(({ key, value }) => [safeText(key, 320), safeText(value, 256)])
    ),
    engines: said.engines.map((one) => safeText(one, 32)),
    scheduling: said.scheduling,
    free: {
      cpuMillis: said.freeCpuMillis,
      memoryBytes: said.freeMemoryBytes,
      storageBytes: said.freeStorageBytes,
      pods: said.freePods
    },
    allocatable: {
      cpuMillis: said.allocatableCpuMillis,
      memoryBytes: said.allocatableMemoryBytes,
      storageBytes: said.freeStorageBytes,
      pods: said.freePods
    },
    ...(said.freeablePods === 0
      ? {}
      : {
          freeable: {
            cpuMillis: said.freeableCpuMillis,
            memoryBytes: said.freeableMemoryBytes,
            pods: said.freeablePods
          }
        }),
    load: Math.min(1, said.loadPermille / 1000),
    roundTripMs: roundTripMs > 0 ? roundTripMs : undefined,
    reliability: reliability(said.upSeconds),
    ordinals: said.ordinals,
    refusals: said.refusals.map((one) => safeText(one, MAX_REFUSAL_LENGTH)),
    bid
  }
}

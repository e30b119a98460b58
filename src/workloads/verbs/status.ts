import { equalBytes } from '../../common/index.ts'
import {
  encodeStatusReply,
  type ManifestStatusInit,
  type Query,
  type StatsInit
} from '../../generated/fbs/index.ts'
import { publicKeyFromPeerId } from '../../identity/index.ts'
import type { EngineStats } from '../../runtime/index.ts'
import type { OwnerRequest, Responder } from '../../wire/index.ts'
import { mayAsk } from '../access.ts'
import { type Context, isHeld, RUNNING, toWire } from '../context.ts'
import { allCopies } from '../manifest-table.ts'
import type { KeptView, StoredManifest, StoredWorkload } from '../types.ts'

/** Copies in one frame: each has up to 16 ports and 500 bytes of message, so that 64 stay below 110 KiB. */
const COPIES_PER_FRAME = 64
/** Manifests in one frame, copies or not. Chosen. */
const MANIFESTS_PER_FRAME = 64

/** What this node holds of the asker's manifests; never of another owner's. */
export async function status(
  context: Context,
  { authorPeerId, payload, reply, signal }: OwnerRequest<Query>
): Promise<void> {
  const wanted = payload.manifestIds.map(({ value }) => value)
  const isWanted = (id: Uint8Array) => wanted.length === 0 || wanted.some((one) => equalBytes(one, id))
  const held = context.table
    .live()
    .filter((manifest) => mayAsk(context, authorPeerId, 'status', manifest))
    .filter(({ manifestId }) => isWanted(manifestId))
  const kept = (context.init.keptFor?.().keptViews() ?? []).filter(
    ({ manifestId, owner, tombstone }) => !tombstone && owner === authorPeerId && isWanted(manifestId)
  )
  const stats = payload.stats ? await statsOf(context, held, signal) : undefined
  await sendStatus(context, reply, held, { stats, kept })
}

/** What each copy has used, by workload ID. Engines that cannot tell are left out. */
async function statsOf(
  context: Context,
  held: readonly StoredManifest[],
  signal: AbortSignal
): Promise<Map<string, EngineStats>> {
  const byEngine = Map.groupBy(held.flatMap(allCopies), ({ engine }) => engine)
  const found = await Promise.all(
    [...byEngine].map(async ([name, copies]) => {
      const ids = copies.filter(({ state }) => RUNNING.has(state)).map(({ workloadId }) => workloadId)
      if (ids.length === 0) return []
      return context.init.engines
        .get(name)
        .stats(ids, { signal })
        .catch((error: unknown) => {
          context.log.error('stats of %s: %e', name, error)
          return []
        })
    })
  )
  return new Map(found.flat().map((one) => [one.workloadId, one]))
}

export interface StatusExtras {
  readonly stats?: ReadonlyMap<string, EngineStats> | undefined
  /** What this node keeps for the asker, whether or not it runs it. */
  readonly kept?: readonly KeptView[]
}

/** Ends an answer with the state of these manifests. */
export async function sendStatus(
  context: Context,
  reply: Responder,
  held: readonly StoredManifest[],
  { stats = new Map(), kept = [] }: StatusExtras = {}
): Promise<void> {
  const keptOf = (id: Uint8Array) => kept.find(({ manifestId }) => equalBytes(manifestId, id))
  const runs = held.map((manifest) => ({
    manifestId: manifest.manifestId,
    version: manifest.version,
    kind: manifest.kind,
    name: manifest.name,
    namespace: manifest.namespace,
    replicas: manifest.replicas,
    owner: publicKeyFromPeerId(manifest.owner),
    workloads: allCopies(manifest)
      .slice(0, COPIES_PER_FRAME)
      .map((copy) => ({
        ...toWire(asHeld(context, manifest.manifestId, copy)),
        stats: toWireStats(stats.get(copy.workloadId))
      })),
    ...recoverable(keptOf(manifest.manifestId))
  }))
  const keeps = kept
    .filter(({ manifestId }) => !held.some((one) => equalBytes(one.manifestId, manifestId)))
    .map((one) => ({
      manifestId: one.manifestId,
      version: one.version,
      // because a keeper cannot read what it keeps
      kind: '',
      name: '',
      namespace: '',
      replicas: one.replicas,
      owner: publicKeyFromPeerId(one.owner),
      ...recoverable(one)
    }))
  const frames = toFrames<ManifestStatusInit>([...runs, ...keeps])
  for (const [index, manifests] of frames.entries()) {
    const body = encodeStatusReply({ nodeName: context.init.nodeName, manifests })
    await reply.send(body, { last: index === frames.length - 1 })
  }
}

function recoverable(kept: KeptView | undefined): Partial<ManifestStatusInit> {
  if (kept === undefined) return {}
  const { shareThreshold, shareHolders, liveHolders, standbys } = kept
  return { keeper: true, shareThreshold, shareHolders, liveHolders, standbys }
}

/** What runs past its lease, because this process has just woken up, counts as stopped from its end on. */
function asHeld(context: Context, manifestId: Uint8Array, copy: StoredWorkload): StoredWorkload {
  if (!RUNNING.has(copy.state) || isHeld(context, manifestId, copy.ordinal)) return copy
  return { ...copy, state: 'failed', message: 'FENCED: its lease is over' }
}

function toWireStats(stats: EngineStats | undefined): StatsInit | undefined {
  if (stats === undefined) return undefined
  const { workloadId: _workloadId, atMs: at, ...used } = stats
  return { at, ...used }
}

function toFrames<T extends Pick<ManifestStatusInit, 'workloads'>>(held: readonly T[]): T[][] {
  const frames: T[][] = [[]]
  let copies = 0
  for (const manifest of held) {
    const more = manifest.workloads?.length ?? 0
    if (copies + more > COPIES_PER_FRAME || frames.at(-1)!.length >= MANIFESTS_PER_FRAME) {
      frames.push([])
      copies = 0
    }
    frames.at(-1)!.push(manifest)
    copies += more
  }
  return frames
}

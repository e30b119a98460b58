import { equalBytes } from '../../common/index.ts'
import { formatManifestId, type Manifest } from '../../manifest/index.ts'
import { dropCopies } from '../accept/drop-copies.ts'
import type { Context } from '../context.ts'
import type { Resources } from '../copies/capacity.ts'
import { WorkloadsError } from '../errors.ts'
import type { StoredManifest } from '../types.ts'

/** Room without the disk: what a copy has written does not go with it. */
export type Freeable = Pick<Resources, 'cpuMillis' | 'memoryBytes' | 'pods'>
const KEYS = ['cpuMillis', 'memoryBytes', 'pods'] as const

/** Who wants room. */
export interface Claimant {
  /** Undefined: of no manifest in particular. */
  readonly manifestId?: Uint8Array | undefined
  /** Peer ID. */
  readonly owner: string
  readonly priority: number
}

/** A copy that may have to go. */
export interface Victim {
  readonly manifest: StoredManifest
  readonly ordinal: number
}

/**
 * Copies that may be stopped for somebody: of lower priority, and of the same owner, or of a guest when it is one of the machine's own owners.
 * Those of the lowest priority first, of these the largest.
 * @param ownOwners peer IDs of the machine's own owners
 */
export function preemptible(
  manifests: readonly StoredManifest[],
  { manifestId, owner, priority }: Claimant,
  ownOwners: ReadonlySet<string>
): Victim[] {
  const mayGo = (held: StoredManifest) =>
    !held.tombstone &&
    held.next === undefined && // because what is just being replaced settles first
    held.cron === undefined &&
    (held.priority ?? 0) < priority &&
    (held.owner === owner || (ownOwners.has(owner) && !ownOwners.has(held.owner))) &&
    (manifestId === undefined || !equalBytes(held.manifestId, manifestId))
  return manifests
    .filter(mayGo)
    .sort(
      (a, b) =>
        (a.priority ?? 0) - (b.priority ?? 0) || b.memoryBytes - a.memoryBytes || b.cpuMillis - a.cpuMillis
    )
    .flatMap((manifest) =>
      [...new Set(manifest.workloads.map(({ ordinal }) => ordinal))].map((ordinal) => ({ manifest, ordinal }))
    )
}

/** What would be free besides if all of them went. */
export function freedBy(victims: readonly Victim[]): Freeable {
  return victims.reduce(
    (sum, victim) => {
      const freed = freedByOne(victim)
      return {
        cpuMillis: sum.cpuMillis + freed.cpuMillis,
        memoryBytes: sum.memoryBytes + freed.memoryBytes,
        pods: sum.pods + freed.pods
      }
    },
    { cpuMillis: 0, memoryBytes: 0, pods: 0 }
  )
}

function freedByOne({ manifest: { cpuMillis, memoryBytes, workloads }, ordinal }: Victim): Freeable {
  const pods = workloads.filter((copy) => copy.ordinal === ordinal).length
  return { cpuMillis: cpuMillis * pods, memoryBytes: memoryBytes * pods, pods }
}

/** The fewest of the lowest priority that free so much; undefined when all of them do not. @param candidates as from {@link preemptible} */
export function chooseVictims(candidates: readonly Victim[], short: Freeable): Victim[] | undefined {
  const isEnough = (victims: readonly Victim[]) => {
    const freed = freedBy(victims)
    return KEYS.every((key) => freed[key] >= short[key])
  }
  const chosen: Victim[] = []
  for (const victim of candidates) {
    if (isEnough(chosen)) break
    const [freed, one] = [freedBy(chosen), freedByOne(victim)]
    if (KEYS.some((key) => freed[key] < short[key] && one[key] > 0)) chosen.push(victim)
  }
  if (!isEnough(chosen)) return undefined
  // because a larger one that came later may do alone what others were taken for; the highest priority is spared first
  for (const victim of chosen.toReversed()) {
    const others = chosen.filter((one) => one !== victim)
    if (isEnough(others)) chosen.splice(chosen.indexOf(victim), 1)
  }
  return chosen
}

interface Wanted {
  readonly manifestId: Uint8Array
  readonly owner: string
  readonly copies: number
}

/**
 * Whether copies find room here, and which others must go for that. Nothing is stopped yet.
 * @throws WorkloadsError INSUFFICIENT_RESOURCES
 */
export function planRoom(
  { capacity, table, init }: Pick<Context, 'capacity' | 'table' | 'init'>,
  manifest: Manifest,
  { manifestId, owner, copies }: Wanted
): readonly Victim[] {
  try {
    capacity.assertFits(manifest, copies)
    return []
  } catch (error) {
    if (!(error instanceof WorkloadsError) || error.code !== 'INSUFFICIENT_RESOURCES') throw error
    const { resources, placement } = manifest
    const { free } = capacity.view()
    const own = init.ownOwners ?? new Set()
    const claimant = { manifestId, owner, priority: placement.priority }
    const hasDisk = free.storageBytes > 0 && resources.storageBytes * copies <= free.storageBytes
    const victims = chooseVictims(preemptible(table.live(), claimant, own), {
      cpuMillis: resources.cpuMillis * copies - free.cpuMillis,
      memoryBytes: resources.memoryBytes * copies - free.memoryBytes,
      pods: copies - free.pods
    })
    if (!hasDisk || victims === undefined) throw error
    return victims
  }
}

/** Stops them, each manifest's in its own lane, and tells why. Their keepers find them missing and look for another node. */
export async function makeRoom(
  context: Context,
  victims: readonly Victim[],
  by: { readonly owner: string; readonly name: string; readonly priority: number }
): Promise<void> {
  for (const [manifest, going] of Map.groupBy(victims, (victim) => victim.manifest)) {
    const { manifestId, owner } = manifest
    const ordinals = going.map(({ ordinal }) => ordinal)
    // because what one owner runs is no other's business
    const who = owner === by.owner ? by.name : "a workload of the machine's owner"
    const reason = `preempted by ${who}, priority ${by.priority}`
    context.log('copies %s of %s: %s', ordinals.join(), formatManifestId(manifestId), reason)
    // it cannot wait for this one: that would take a higher priority
    await context.lanes.run(formatManifestId(manifestId), () =>
      dropCopies(context, manifestId, ordinals, { reason })
    )
  }
}

import { equalBytes, withDeadline } from '../../common/index.ts'
import type { Verdict } from '../../generated/fbs/index.ts'
import type { StoredManifest } from '../../workloads/index.ts'
import { CONFIRM_TIMEOUT_MS, KEEPERS, RESUME_WAIT_MS } from '../constants.ts'
import type { Fact } from '../facts/fact.ts'
import { mergeFacts } from '../facts/fact-table.ts'
import { toldOf } from '../facts/past.ts'
import { openFact } from '../facts/prove.ts'
import { rank } from '../keeping/rank.ts'
import type { CheckedRecord, World } from '../types.ts'
import { liveCopies } from './count.ts'
import { seeCopies } from './see-copies.ts'

const DOES_WORK: ReadonlySet<string> = new Set(['running', 'ready'])
/** How often it is looked whether somebody else is there. Chosen. */
const LOOK_MS = 100

/**
 * What a node that was away may start again of what it had: not what the owner has deleted or changed meanwhile, nor what others run. Alone,
 * nobody can say so, and what was asked for runs.
 * @param hasOthers false: no other node was ever known here
 * @param claim tells this node, as a keeper, of copies to be started again @returns those that others are about to run
 * @returns ordinals; none: nothing
 */
export async function mayResume(
  world: World,
  stored: StoredManifest,
  {
    check,
    claim,
    hasOthers,
    signal
  }: {
    check: (bytes: Uint8Array) => CheckedRecord
    claim: (ordinals: readonly number[]) => readonly number[]
    hasOthers: boolean
    signal: AbortSignal
  }
): Promise<readonly number[]> {
  const own =
    stored.slotOrdinals ??
    stored.workloads.filter(({ endedAtMs }) => endedAtMs === undefined).map(({ ordinal }) => ordinal)
  if (!hasOthers) return own
  const keepers = await keepersWithin(world, stored.manifestId, signal)
  // what runs stays: of two copies that both run keepers stop one
  const starting = stored.workloads
    .filter(({ state, endedAtMs }) => !DOES_WORK.has(state) && endedAtMs === undefined)
    .map(({ ordinal }) => ordinal)
  const takenHere = starting.length === 0 ? [] : claim(starting)
  const request = { record: stored.record, ordinals: starting, resuming: true }
  const verdicts = await Promise.all(
    keepers.map((peerId) =>
      world.asks
        .keep(peerId, request, { signal: withDeadline(CONFIRM_TIMEOUT_MS, signal) })
        .catch(() => undefined)
    )
  )
  for (const verdict of verdicts) {
    if (verdict?.record === undefined || verdict.highest <= stored.highest.version) continue
    const record = check(verdict.record)
    if (!equalBytes(record.manifestId, stored.manifestId) || record.ownerPeerId !== stored.owner) continue
    // not waited for: it comes in the manifest's lane, after what asks here
    if (record.tombstone) void world.workloads.bury(record, verdict.record).catch(() => {})
    // a keeper brings the newer version when copies of it are missing; one that stayed here unstarted would pass for one that runs
    else letGo(world, stored, ({ state }) => state !== 'running' && state !== 'ready')
    return []
  }
  // anew, because what was found in the moment of the start says little
  const limit = { signal: withDeadline(CONFIRM_TIMEOUT_MS, signal), fresh: true }
  const leases = await seeCopies(world, stored.manifestId, limit)
  const self = world.key.peerId
  const { over, schedules } = toldOf(
    {
      lifetime: stored.cron !== undefined ? 'cron' : stored.job !== undefined ? 'job' : 'service',
      ...stored
    },
    factsIn(world, verdicts, recordsOf(stored, verdicts, check)),
    world.neighbours()
  )
  const elsewhere = new Set(
    (schedules ?? liveCopies(leases))
      .filter(({ peerId, version }) => peerId !== self && version >= stored.version)
      .map(({ ordinal }) => ordinal)
  )
  const taken = [...takenHere, ...verdicts.flatMap((verdict) => verdict?.taken ?? [])]
  for (const ordinal of [...(over ?? []), ...taken.filter((one) => starting.includes(one))])
    elsewhere.add(ordinal)
  if (own.some((ordinal) => elsewhere.has(ordinal)))
    letGo(world, stored, ({ ordinal }) => elsewhere.has(ordinal))
  return own.filter((ordinal) => !elsewhere.has(ordinal))
}

type Copy = StoredManifest['workloads'][number]

/** In the lane, after this. */
function letGo(
  world: World,
  { manifestId, workloads }: StoredManifest,
  isGoing: (copy: Copy) => boolean
): void {
  const going = workloads.filter(isGoing).map(({ ordinal }) => ordinal)
  if (going.length > 0) void world.workloads.drop(manifestId, going).catch(() => {})
}

/** The versions that facts may be about, by the word of the one owner. */
function recordsOf(
  { record, manifestId, owner }: StoredManifest,
  verdicts: readonly (Pick<Verdict, 'record'> | undefined)[],
  check: (bytes: Uint8Array) => CheckedRecord
): readonly CheckedRecord[] {
  return [record, ...verdicts.map((verdict) => verdict?.record)].flatMap((bytes) => {
    try {
      const checked = bytes === undefined ? undefined : check(bytes)
      const isIts = checked?.ownerPeerId === owner && equalBytes(checked.manifestId, manifestId)
      return isIts ? [checked] : []
    } catch {
      return [] // because nothing follows from a record that does not count
    }
  })
}

/** What keepers know of what others have done of it. */
function factsIn(
  world: World,
  verdicts: readonly (Pick<Verdict, 'facts'> | undefined)[],
  records: readonly CheckedRecord[]
): readonly Fact[] {
  const facts = verdicts
    .flatMap((verdict) => verdict?.facts ?? [])
    .flatMap(({ value }) => {
      try {
        return openFact(value, world, records) ?? []
      } catch {
        return [] // because one keeper that says nonsense must not hide what the others say
      }
    })
  return mergeFacts(
    [],
    facts.filter((fact) => fact.author !== world.key.peerId) // so all of them are of these records
  )
}

/** The nearest keepers that can be asked, once there are any. */
async function keepersWithin(world: World, manifestId: Uint8Array, signal: AbortSignal): Promise<string[]> {
  const others = () => world.neighbours().filter(({ self, state }) => !self && state === 'alive')
  for (let waitedMs = 0; others().length === 0 && waitedMs < RESUME_WAIT_MS; waitedMs += LOOK_MS)
    await world.delay(LOOK_MS, { signal })
  return rank(manifestId, others())
    .slice(0, KEEPERS)
    .map(({ peerId }) => peerId)
}

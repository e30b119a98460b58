import { completionsOf, formatManifestId } from '../../../src/manifest/index.ts'
import type { Run } from '../node/engine.ts'
import type { Machine, Mesh } from '../node/machine.ts'
import type { Signed, Wanted } from '../owner/truth.ts'
import { factsOf, isRecoverable, storedOn } from './kept.ts'
import { show } from './show.ts'
import type { Copy, SettledInit } from './types.ts'

const SLOT_MS = 60_000
/** What was under way when all became calm is over by then, and clocks that are off (by 20 s at most) see no slot of before. */
const QUIET_MS = 45_000
/** A slot that was due so long ago has begun, on a clock that is late, too. */
const BEGUN_MS = 25_000
/** Nodes remember the last three runs. */
const KNOWN_MS = 2.5 * SLOT_MS

interface OwnRun extends Run {
  readonly machine: Machine
  readonly ordinal: number
}

/** Everything of a Job is done, and nothing of it is done again; each slot of a CronJob was run. */
export function whatIsLeftOfRuns(
  init: SettledInit,
  wanted: Wanted,
  signed: Signed,
  own: readonly Copy[]
): string[] {
  const { mesh } = init
  const { id, isOpen } = wanted
  if (signed.tombstone) return own.length === 0 ? [] : [`it is deleted, and runs: ${show(own)}`]
  if (isOpen || !isRecoverable(mesh, id, signed.version)) return []
  const runs = runsOf(mesh, id).filter(counts(wanted, signed))
  return signed.manifest?.cron === undefined
    ? leftOfJob(init, id, signed, runs)
    : leftOfSlots(init, id, signed, runs)
}

function leftOfJob(
  { mesh, calmMs }: SettledInit,
  id: string,
  signed: Signed,
  runs: readonly OwnRun[]
): string[] {
  const isFailed = factsOf(mesh, id).some(
    ({ version, copies }) => version === signed.version && copies.some(({ failed }) => failed)
  )
  if (isFailed) return []
  const { job, replicas } = signed.manifest!
  return Array.from({ length: replicas }, (_, ordinal) => ordinal).flatMap((ordinal) => {
    const wanted = completionsOf(job!, ordinal).length
    const ended = runs.filter((run) => run.ordinal === ordinal)
    const done = ended.filter(({ result }) => result === 'done')
    if (done.length < wanted) return [`${done.length} of ${wanted} completions of copy ${ordinal} are done`]
    const doneMs = done.map(({ startedAtMs }) => startedAtMs).sort((a, b) => a - b)[wanted - 1]!
    const again = ended.filter(({ startedAtMs }) => doneMs < calmMs && startedAtMs > calmMs + QUIET_MS)
    return again.map(({ machine }) => `copy ${ordinal} was done, and is done again on ${machine.name}`)
  })
}

function leftOfSlots(
  { clock, calmMs }: SettledInit,
  id: string,
  signed: Signed,
  runs: readonly OwnRun[]
): string[] {
  const sinceMs = Math.max(calmMs + QUIET_MS, signed.atMs + QUIET_MS, clock.nowMs - KNOWN_MS)
  const firstMs = Math.ceil(sinceMs / SLOT_MS) * SLOT_MS
  const left: string[] = []
  for (let slotMs = firstMs; slotMs < clock.nowMs - BEGUN_MS; slotMs += SLOT_MS) {
    const ofSlot = runs.filter((run) => slotOf(run, id) === slotMs)
    const good = ofSlot.filter(({ result }) => result !== 'error')
    if (good.length !== 1)
      left.push(
        `the slot of ${(slotMs - firstMs) / SLOT_MS} min after calm ran ${good.length} times: ${ofSlot.map(({ machine }) => machine.name).join()}`
      )
  }
  return left
}

function slotOf({ machine, workloadId }: OwnRun, id: string): number | undefined {
  return storedOn(machine, id)?.workloads.find((copy) => copy.workloadId === workloadId)?.slotMs
}

/**
 * Runs that count for a version: a version that says the same as one before goes on with what was done of that, on nodes that had no part in
 * what came between. Only what was deleted begins anew, on nodes that heard of it.
 */
function counts({ versions }: Wanted, signed: Signed): (run: OwnRun) => boolean {
  const all = [...versions.values()].filter(({ version }) => version <= signed.version)
  const same = new Set(
    all.flatMap(({ manifest, version }) => (manifest === signed.manifest ? [version] : []))
  )
  const deleted = all
    .filter(({ tombstone, acknowledged }) => tombstone && acknowledged)
    .sort((x, y) => y.version - x.version)[0]
  return ({ labels, startedAtMs }) => {
    const version = Number(labels['beemesh.io/version'])
    const isSince = deleted === undefined || version > deleted.version || startedAtMs >= deleted.atMs
    return same.has(version) && isSince
  }
}

function runsOf(mesh: Mesh, id: string): OwnRun[] {
  const label = formatManifestId(new Uint8Array(Buffer.from(id, 'hex')))
  return mesh.machines.flatMap((machine) =>
    machine.containers.runs
      .filter(({ labels }) => labels['beemesh.io/manifest'] === label)
      .map((run) => ({ ...run, machine, ordinal: Number(run.labels['beemesh.io/ordinal']) }))
  )
}

import { toHex } from '../../../src/common/index.ts'
import type { Machine } from '../node/machine.ts'
import { isFenced } from '../owner/documents.ts'
import type { Signed, Wanted } from '../owner/truth.ts'
import { isRecoverable, leastOf, newestKept, storedOn, whoKeeps } from './kept.ts'
import { whatIsLeftOfRuns } from './runs.ts'
import { whatIsLeftOfScaling } from './scaling.ts'
import { short, show } from './show.ts'
import type { Copy, SettledInit } from './types.ts'

/** For so long before the end nobody had a reason to act. */
const CALM_MS = 15_000

/** What is not as it should be, in a mesh that has had the time to put everything right. */
export function whatIsLeft(init: SettledInit): string[] {
  const { mesh, owner } = init
  return [
    ...[...owner.truth.manifests.values()].flatMap((wanted) => whatIsLeftOf(init, wanted)),
    ...mesh.machines.flatMap(orphansOf),
    ...mesh.active().flatMap((machine) => restlessOf(init, machine))
  ]
}

function whatIsLeftOf(init: SettledInit, wanted: Wanted): string[] {
  const { mesh, owner, copies } = init
  const { id, name, isOpen } = wanted
  const own = copies.filter((one) => one.id === id)
  const acknowledged = owner.truth.newest(id, { acknowledged: true })
  if (acknowledged === undefined && own.length === 0) return []
  const target = newestKept(mesh, id) ?? 0
  const signed = wanted.versions.get(target)
  const left: string[] = []
  if (
    acknowledged !== undefined &&
    target < acknowledged.version &&
    isRecoverable(mesh, id, acknowledged.version)
  )
    left.push(`acknowledged version ${short(acknowledged.version)} is lost`)
  const { manifest } = signed ?? {}
  if (manifest?.cron !== undefined || manifest?.job !== undefined)
    left.push(...whatIsLeftOfRuns(init, wanted, signed!, own))
  else {
    left.push(...whatIsLeftOfCopies(init, wanted, { signed, own }))
    if (manifest?.autoscale !== undefined) left.push(...whatIsLeftOfScaling(init, wanted, signed!, own))
  }
  const kept = `kept by ${whoKeeps(mesh, id).join(' ')}${isOpen ? ' (left with failures)' : ''}`
  return left.map((text) => `${name}: ${text}; ${kept}`)
}

function whatIsLeftOfCopies(
  { mesh }: SettledInit,
  { id, name, isOpen }: Wanted,
  { signed, own }: { signed: Signed | undefined; own: readonly Copy[] }
): string[] {
  const left: string[] = []
  const shown = show(own)
  const isDeleted = signed === undefined || signed.tombstone
  const [least, most] = isDeleted ? [0, 0] : [leastOf(signed, mesh), signed.most]
  const ordinals = own.map(({ ordinal }) => ordinal)
  const distinct = new Set(ordinals)
  if (distinct.size < ordinals.length) left.push(`copies run twice: ${shown}`)
  // what an update that failed leaves is as it was before
  if (!isOpen && ordinals.some((one) => one >= most)) left.push(`copies beyond ${most} run: ${shown}`)
  const mayMiss = isOpen || signed === undefined || !isRecoverable(mesh, id, signed.version)
  if (distinct.size < least && !mayMiss) left.push(`${least} copies are wanted, there are: ${shown}`)
  if (signed === undefined) return left
  const isRolledBack = own.some(
    ({ machine, version }) =>
      version < signed.version && storedOn(machine, id)?.highest.version === signed.version
  )
  for (const { machine, ordinal, version } of own) {
    const isTurnedBack = storedOn(machine, id)?.highest.version === signed.version
    // of an update that one node turned back the others are left as they were
    const mayBeOld = isTurnedBack || (isOpen && (isRolledBack || ordinal >= least))
    if (version !== signed.version && !mayBeOld)
      left.push(
        `copy ${ordinal}${isFenced(name) ? ', fenced,' : ''} on ${machine.name} is not of version ${short(signed.version)}: ${shown}`
      )
  }
  return left
}

/** Who still acts, though nothing goes wrong any more. */
function restlessOf({ owner, clock }: SettledInit, { name, daemon }: Machine): string[] {
  return daemon!.parts.healer.recent().flatMap(({ atMs, manifestId, action, detail }) => {
    const wanted = owner.truth.manifests.get(toHex(manifestId))
    const isLate = atMs > clock.wallMs(daemon!.host) - CALM_MS
    // what cannot be brought back is tried again and again
    if (
      !isLate ||
      action === 'nothing-fits' ||
      wanted === undefined ||
      wanted.isOpen ||
      wanted.kind === 'scaled'
    )
      return []
    return [`${wanted.name}: ${name} still acts: ${action} ${detail}`]
  })
}

/** What runs on a machine is what its node knows of. */
function orphansOf(machine: Machine): string[] {
  if (machine.daemon?.host.alive !== true) return []
  const known = new Set(
    machine.daemon.workloads
      .list()
      .flatMap(({ workloads, next }) =>
        [...workloads, ...(next?.workloads ?? [])].map(({ workloadId }) => workloadId)
      )
  )
  return machine.containers
    .running()
    .flatMap(({ workloadId }) =>
      known.has(workloadId) ? [] : [`${workloadId} runs on ${machine.name}, which does not know of it`]
    )
}

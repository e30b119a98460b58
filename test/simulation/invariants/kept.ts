import { toHex } from '../../../src/common/index.ts'
import type { Machine, Mesh } from '../node/machine.ts'
import type { Signed } from '../owner/truth.ts'

/** Whether the mesh still has what it takes to bring a copy back: the record, and the key. */
export function isRecoverable(mesh: Mesh, id: string, version: number): boolean {
  const live = mesh.active()
  const has = (publicKey: Uint8Array) =>
    live.some(({ keys }) => toHex(keys.key.publicKey) === toHex(publicKey))
  const keepers = live.filter((machine) => keptOn(machine, id)?.record.version === version)
  const kept = keepers[0] && keptOn(keepers[0], id)
  if (kept === undefined) return false
  const { tombstone, fenceKeepers, shareHolders, shareThreshold } = kept.record
  if (tombstone) return true
  const deciding = fenceKeepers.filter(({ node }) => has(node))
  if (deciding.length * 2 <= fenceKeepers.length && fenceKeepers.length > 0) return false
  const runs = live.some((machine) => {
    const stored = storedOn(machine, id)
    return stored?.content !== undefined && stored.version === version
  })
  if (runs || kept.bundle.sealedKeys.some(({ recipient }) => has(recipient))) return true
  const holders = keepers.filter(({ keys }) =>
    shareHolders.some(({ node }) => toHex(node) === toHex(keys.key.publicKey))
  )
  return shareThreshold > 0 && holders.length >= shareThreshold
}

/** Copies that there are to be. */
export function leastOf({ least, manifest }: Signed, mesh: Mesh): number {
  return manifest?.perNode ? mesh.active().length : least
}

/** The newest version that any live node knows of. */
export function newestKept(mesh: Mesh, id: string): number | undefined {
  const versions = mesh
    .active()
    .flatMap((machine) => [
      ...(keptOn(machine, id) === undefined ? [] : [keptOn(machine, id)!.record.version]),
      ...(storedOn(machine, id) === undefined ? [] : [storedOn(machine, id)!.highest.version])
    ])
  return versions.length === 0 ? undefined : Math.max(...versions)
}

export function whoKeeps(mesh: Mesh, id: string): string[] {
  return mesh.active().flatMap((machine) => {
    const record = keptOn(machine, id)?.record
    if (record === undefined) return []
    return [`${machine.name}/${record.version % 10_000_000}${record.tombstone ? ' deleted' : ''}`]
  })
}

export function storedOn(machine: Machine, id: string) {
  return machine.daemon?.workloads.get(bytesOf(id))
}

/** Whether a node has seen a version of a manifest, or a newer one. */
export function isToldOf(machine: Machine, id: string, version: number): boolean {
  const kept = keptOn(machine, id)?.record.version ?? 0
  return Math.max(kept, storedOn(machine, id)?.highest.version ?? 0) >= version
}

function keptOn(machine: Machine, id: string) {
  return machine.daemon?.parts.kept.get(bytesOf(id))
}

/** What nodes said of a Job or CronJob, as any live keeper has it. */
export function factsOf(mesh: Mesh, id: string) {
  return mesh.active().flatMap(({ daemon }) => daemon!.parts.kept.facts.of(bytesOf(id)))
}

function bytesOf(id: string): Uint8Array {
  return new Uint8Array(Buffer.from(id, 'hex'))
}

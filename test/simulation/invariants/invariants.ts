import { toHex } from '../../src/common/index.ts'
import type { ReleaseRequest } from '../../src/generated/fbs/index.ts'
import { parseManifestId } from '../../src/manifest/index.ts'
import type { Daemon } from './node/daemon.ts'
import type { Machine, Mesh } from './node/machine.ts'
import { isFenced, type Owner } from './owner/owner.ts'
import type { VirtualClock } from './time/clock.ts'

/** What of the past still may explain copies too many: a lease, a look, a start and a grace period, some times over. */
const WINDOW_MS = 60_000

/** Two that begin the same copy within this pass each other on their way to the keepers: the surplus is seen and goes. */
const CROSSING_MS = 500

/** For so long after an owner is done what it began may be doubled. Chosen: a look, a start and the grace to stop. */
const OWNER_MS = 5_000

/** A container of a manifest on a machine. */
export interface Copy {
  readonly machine: Machine
  readonly id: string
  readonly version: number
  readonly ordinal: number
  readonly workloadId: string
}

/** What must hold whatever happens. Looks at machines, keys and disks directly, as nobody in the mesh can. */
export class Invariants {
  readonly broken: string[] = []
  readonly #clock: VirtualClock
  readonly #mesh: Mesh
  readonly #owner: Owner
  readonly #busyMs = new Map<string, number>()
  readonly #begun: { readonly what: string; readonly at: number; readonly atMs: number }[] = []
  readonly #sides: { atMs: number; count: number }[] = []

  constructor({ clock, mesh, owner }: { clock: VirtualClock; mesh: Mesh; owner: Owner }) {
    this.#clock = clock
    this.#mesh = mesh
    this.#owner = owner
  }

  copies(): Copy[] {
    return this.#mesh.machines.flatMap((machine) =>
      [...machine.containers.running.values()].map(({ workloadId, labels }) => ({
        machine,
        workloadId,
        id: toHex(parseManifestId(labels['beemesh.io/manifest'] ?? '')!),
        version: Number(labels['beemesh.io/version']),
        ordinal: Number(labels['beemesh.io/ordinal'])
      }))
    )
  }

  /** At every moment. */
  check(): void {
    const nowMs = this.#clock.nowMs
    this.#sides.push({ atMs: nowMs, count: this.#mesh.topology.sides() })
    while (this.#sides[0]!.atMs < nowMs - WINDOW_MS) this.#sides.shift()
    const sides = Math.max(...this.#sides.map(({ count }) => count))
    const copies = this.copies()
    for (const { id, version, workloadId, machine } of copies) {
      const signed = this.#owner.truth.manifests.get(id)?.versions.get(version)
      if (signed === undefined || signed.tombstone)
        this.#break(`${workloadId} runs on ${machine.name} although no owner signed version ${version}`)
    }
    for (const same of Map.groupBy(copies, ({ id, ordinal }) => `${id} ${ordinal}`).values()) {
      const on = new Set(same.map(({ machine }) => machine.name))
      if (on.size > 1 && isFenced(this.#owner.truth.manifests.get(same[0]!.id)?.name ?? ''))
        this.#break(`fenced ${same[0]!.workloadId} runs on ${[...on].join(' and ')}`)
    }
    for (const same of Map.groupBy(
      copies,
      ({ id, version, ordinal }) => `${id} ${version} ${ordinal}`
    ).values())
      if (same.length > sides + this.#crossings(same) + this.#ownerActs(same))
        this.#break(
          `${same[0]!.workloadId} runs ${same.length} times, on ${same.map(({ machine }) => machine.name).join()}, with ${sides} sides`
        )
  }

  /** Something was thrown that no code has a name for. */
  bug(error: unknown): void {
    this.#break(`not foreseen: ${error instanceof Error ? error.stack : error}`)
  }

  /** A node told keepers that it is about to start copies, or asked whether it may. */
  begins({ at }: Daemon, manifestId: Uint8Array, ordinals: readonly number[]): void {
    const { nowMs } = this.#clock
    for (const ordinal of ordinals)
      this.#begun.push({ what: `${toHex(manifestId)} ${ordinal}`, at, atMs: nowMs })
    while (this.#begun[0] !== undefined && this.#begun[0].atMs < nowMs - WINDOW_MS) this.#begun.shift()
  }

  /** An owner who goes from node to node gives a copy to the next one, while keepers replace it where it ran: one too many until it is seen. */
  #ownerActs(same: readonly Copy[]): number {
    const name = this.#owner.truth.manifests.get(same[0]!.id)?.name ?? ''
    const { nowMs } = this.#clock
    if (this.#owner.isBusy(name)) this.#busyMs.set(name, nowMs)
    return nowMs - (this.#busyMs.get(name) ?? 0) < OWNER_MS ? 1 : 0
  }

  #crossings(same: readonly Copy[]): number {
    const what = `${same[0]!.id} ${same[0]!.ordinal}`
    const own = this.#begun.filter(
      (one) => one.what === what && same.some(({ machine }) => machine.at === one.at)
    )
    const crossed = own.filter((one) =>
      own.some(({ at, atMs }) => at !== one.at && Math.abs(atMs - one.atMs) < CROSSING_MS)
    )
    return Math.max(0, new Set(crossed.map(({ at }) => at)).size - 1)
  }

  /** A key or a share was given away. */
  released(daemon: Daemon, { manifestId, ordinals, version }: ReleaseRequest, to: string): void {
    if (!this.#mesh.isMember(to)) this.#break(`n${daemon.at} gave a key to a stranger`)
    const newest = Math.max(
      daemon.kept.get(manifestId)?.record.version ?? 0,
      daemon.workloads.get(manifestId)?.highest.version ?? 0
    )
    if (newest > version || daemon.kept.get(manifestId)?.record.tombstone)
      this.#break(`n${daemon.at} gave a key of version ${version} although it knows ${newest}`)
    for (const lease of daemon.leases.leased(manifestId))
      for (const { ordinal } of lease.workloads)
        if (lease.peerId !== to && ordinals.includes(ordinal))
          this.#break(
            `n${daemon.at} gave ${this.#mesh.machineOf(to)?.name} a key for copy ${ordinal}, which it sees on ${this.#mesh.machineOf(lease.peerId)?.name}`
          )
  }

  /** Once everything is well again and time has passed. */
  settled(): void {
    const copies = this.copies()
    for (const { id, name, isOpen } of this.#owner.truth.manifests.values()) {
      const own = copies.filter((one) => one.id === id)
      const acknowledged = this.#owner.truth.newest(id, { acknowledged: true })
      const target = this.#newestKept(id)
      if (acknowledged === undefined && own.length === 0) continue
      const what = (text: string) =>
        `${name}: ${text}; kept by ${this.#keepersOf(id).join(' ')}${isOpen ? ' (left with failures)' : ''}`
      if (
        acknowledged !== undefined &&
        (target ?? 0) < acknowledged.version &&
        this.#isRecoverable(id, acknowledged.version)
      )
        this.#break(what(`acknowledged version ${this.#short(acknowledged.version)} is lost`))
      const signed = this.#owner.truth.manifests.get(id)!.versions.get(target ?? 0)
      this.#checkCopies(id, own, signed, { what, isOpen })
    }
    for (const machine of this.#mesh.machines) this.#checkOrphans(machine)
  }

  #checkCopies(
    id: string,
    own: readonly Copy[],
    signed: { version: number; replicas: number; tombstone: boolean } | undefined,
    { what, isOpen }: { what: (text: string) => string; isOpen: boolean }
  ): void {
    const shown = own
      .map(({ ordinal, machine, version }) => `${ordinal}@${machine.name}/${this.#short(version)}`)
      .sort()
      .join(' ')
    const wanted = signed === undefined || signed.tombstone ? 0 : signed.replicas
    const ordinals = own.map(({ ordinal }) => ordinal)
    const distinct = new Set(ordinals)
    if (distinct.size < ordinals.length) this.#break(what(`copies run twice: ${shown}`))
    // what an update that failed leaves is as it was before
    if (!isOpen && ordinals.some((one) => one >= wanted))
      this.#break(what(`copies beyond ${wanted} run: ${shown}`))
    const mayMiss = isOpen || signed === undefined || !this.#isRecoverable(id, signed.version)
    if (distinct.size < wanted && !mayMiss)
      this.#break(what(`${wanted} copies are wanted, there are: ${shown}`))
    if (signed === undefined) return
    const isRolledBack = own.some(
      ({ machine, version }) =>
        version < signed.version && this.#storedOn(machine, id)?.highest.version === signed.version
    )
    for (const { machine, ordinal, version } of own) {
      const isTurnedBack = this.#storedOn(machine, id)?.highest.version === signed.version
      // of an update that one node turned back the others are left as they were
      const mayBeOld = isTurnedBack || (isOpen && (isRolledBack || ordinal >= wanted))
      if (version !== signed.version && !mayBeOld)
        this.#break(
          what(
            `copy ${ordinal} on ${machine.name} is not of version ${this.#short(signed.version)}: ${shown}`
          )
        )
    }
  }

  /** Whether the mesh still has what it takes to bring a copy back: the record, and the key. */
  #isRecoverable(id: string, version: number): boolean {
    const live = this.#mesh.active()
    const keepers = live.flatMap(({ daemon }) =>
      daemon!.kept.all().filter(({ record }) => toHex(record.manifestId) === id && record.version === version)
    )
    const kept = keepers[0]
    if (kept === undefined) return false
    if (kept.record.tombstone) return true
    const { fenceKeepers } = kept.record
    const deciding = fenceKeepers.filter(({ node }) =>
      live.some(({ keys }) => toHex(keys.key.publicKey) === toHex(node))
    )
    if (deciding.length * 2 <= fenceKeepers.length && fenceKeepers.length > 0) return false
    const runs = live.some((machine) => {
      const stored = this.#storedOn(machine, id)
      return stored?.content !== undefined && stored.version === version
    })
    if (runs) return true
    const { shareHolders, shareThreshold } = kept.record
    const has = (publicKey: Uint8Array) =>
      live.some(({ keys }) => toHex(keys.key.publicKey) === toHex(publicKey))
    if (kept.bundle.sealedKeys.some(({ recipient }) => has(recipient))) return true
    const holders = live.filter(
      ({ keys, daemon }) =>
        shareHolders.some(({ node }) => toHex(node) === toHex(keys.key.publicKey)) &&
        daemon!.kept.all().some(({ record }) => toHex(record.manifestId) === id && record.version === version)
    )
    return shareThreshold > 0 && holders.length >= shareThreshold
  }

  #keepersOf(id: string): string[] {
    return this.#mesh.active().flatMap(({ name, daemon }) =>
      daemon!.kept
        .all()
        .filter(({ record }) => toHex(record.manifestId) === id)
        .map(({ record }) => `${name}/${this.#short(record.version)}${record.tombstone ? ' deleted' : ''}`)
    )
  }

  #newestKept(id: string): number | undefined {
    const versions = this.#mesh
      .active()
      .flatMap((machine) => [
        ...machine
          .daemon!.kept.all()
          .flatMap(({ record }) => (toHex(record.manifestId) === id ? [record.version] : [])),
        ...(this.#storedOn(machine, id) === undefined ? [] : [this.#storedOn(machine, id)!.highest.version])
      ])
    return versions.length === 0 ? undefined : Math.max(...versions)
  }

  #storedOn(machine: Machine, id: string) {
    return machine.daemon?.workloads.get(new Uint8Array(Buffer.from(id, 'hex')))
  }

  /** What runs on a machine is what its node knows of. */
  #checkOrphans(machine: Machine): void {
    if (machine.daemon?.host.alive !== true) return
    const known = new Set(
      machine.daemon.workloads
        .list()
        .flatMap(({ workloads, next }) =>
          [...workloads, ...(next?.workloads ?? [])].map(({ workloadId }) => workloadId)
        )
    )
    for (const workloadId of machine.containers.running.keys())
      if (!known.has(workloadId))
        this.#break(`${workloadId} runs on ${machine.name}, which does not know of it`)
  }

  #short(version: number): string {
    return String(version % 10_000_000)
  }

  #break(text: string): void {
    const line = `${(this.#clock.elapsedMs / 1000).toFixed(1)} s: ${text}`
    if (!this.broken.some((one) => one.endsWith(text)) && this.broken.length < 20) this.broken.push(line)
  }
}

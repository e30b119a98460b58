import { toHex } from '../../../src/common/index.ts'
import type { ReleaseRequest } from '../../../src/generated/fbs/index.ts'
import { parseManifestId } from '../../../src/manifest/index.ts'
import type { Daemon } from '../node/daemon.ts'
import type { Mesh } from '../node/machine.ts'
import { isFenced } from '../owner/documents.ts'
import type { Owner } from '../owner/owner.ts'
import type { VirtualClock } from '../time/clock.ts'
import type { Convergence } from './convergence.ts'
import { Deleted } from './deleted.ts'
import { whatIsLeft } from './settled.ts'
import type { Copy, SettledInit } from './types.ts'

/** What of the past still may explain copies too many: a lease, a look, a start and a grace period, some times over. */
const WINDOW_MS = 60_000

/** Two that begin the same copy within this pass each other on their way to the keepers: the surplus is seen and goes. */
const CROSSING_MS = 500

/** For so long after an owner is done what it began may be doubled. Chosen: a look, a start and the grace to stop. */
const OWNER_MS = 5_000

/** What must hold whatever happens. Looks at machines, keys and disks directly, as nobody in the mesh can. */
export class Invariants {
  readonly broken: string[] = []
  readonly #clock: VirtualClock
  readonly #mesh: Mesh
  readonly #owner: Owner
  readonly #busyMs = new Map<string, number>()
  readonly #begun: { readonly what: string; readonly at: number; readonly atMs: number }[] = []
  readonly #sides: { atMs: number; count: number }[] = []

  readonly #deleted: Deleted

  constructor({ clock, mesh, owner }: { clock: VirtualClock; mesh: Mesh; owner: Owner }) {
    this.#clock = clock
    this.#mesh = mesh
    this.#owner = owner
    this.#deleted = new Deleted({ clock, mesh, owner })
  }

  copies(): Copy[] {
    return this.#mesh.machines.flatMap((machine) =>
      machine.containers.running().map(({ workloadId, labels }) => {
        const id = toHex(parseManifestId(labels['beemesh.io/manifest'] ?? '')!)
        const isOnEach = this.#owner.truth.manifests.get(id)?.kind === 'DaemonSet'
        const ordinal = isOnEach ? machine.at : Number(labels['beemesh.io/ordinal'])
        return { machine, workloadId, id, version: Number(labels['beemesh.io/version']), ordinal }
      })
    )
  }

  /** At every moment. */
  check(): void {
    const nowMs = this.#clock.nowMs
    this.#sides.push({ atMs: nowMs, count: this.#mesh.topology.sides() })
    while (this.#sides[0]!.atMs < nowMs - WINDOW_MS) this.#sides.shift()
    const sides = Math.max(...this.#sides.map(({ count }) => count))
    const copies = this.copies()
    for (const text of this.#deleted.look(copies)) this.#break(text)
    for (const { id, version, ordinal, workloadId, machine } of copies) {
      const signed = this.#owner.truth.manifests.get(id)?.versions.get(version)
      if (signed === undefined || signed.tombstone)
        this.#break(`${workloadId} runs on ${machine.name} although no owner signed version ${version}`)
      else if (ordinal >= signed.most)
        this.#break(`${workloadId} runs as copy ${ordinal} on ${machine.name}, with ${signed.most} at most`)
    }
    for (const same of Map.groupBy(copies, ({ id, ordinal }) => `${id} ${ordinal}`).values()) {
      const on = new Set(same.map(({ machine }) => machine.name))
      if (on.size > 1 && isFenced(this.#owner.truth.manifests.get(same[0]!.id)?.name ?? ''))
        this.#break(`fenced ${same[0]!.workloadId} runs on ${[...on].join(' and ')}`)
    }
    for (const same of Map.groupBy(copies, ({ id }) => id).values()) {
      const { kind, versions } = this.#owner.truth.manifests.get(same[0]!.id)!
      if (kind === 'CronJob') continue
      const most = Math.max(...same.map(({ version }) => versions.get(version)?.most ?? 0))
      // what the owner's record allows on one side, those too many during an update included
      if (same.length > sides * most * 2)
        this.#break(
          `${same.length} copies of ${same[0]!.workloadId} run, with ${sides} sides and ${most} wanted`
        )
    }
    for (const same of Map.groupBy(
      // a CronJob's slot may begin while that of before goes on
      copies.filter(({ id }) => this.#owner.truth.manifests.get(id)?.kind !== 'CronJob'),
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

  /** Honest nodes put up with each other, whatever goes wrong. */
  sentAway({ at }: Daemon, peerId: string): void {
    this.#break(`n${at} sent ${this.#mesh.machineOf(peerId)?.name} away`)
  }

  /** A key or a share was given away. */
  released(daemon: Daemon, { manifestId, ordinals, version }: ReleaseRequest, to: string): void {
    if (!this.#mesh.isMember(to)) this.#break(`n${daemon.at} gave a key to a stranger`)
    const newest = Math.max(
      daemon.parts.kept.get(manifestId)?.record.version ?? 0,
      daemon.workloads.get(manifestId)?.highest.version ?? 0
    )
    if (newest > version || daemon.parts.kept.get(manifestId)?.record.tombstone)
      this.#break(`n${daemon.at} gave a key of version ${version} although it knows ${newest}`)
    if (this.#owner.truth.manifests.get(toHex(manifestId))?.kind === 'DaemonSet') return
    for (const lease of daemon.providers.leased(manifestId))
      for (const { ordinal } of lease.workloads)
        if (lease.peerId !== to && ordinals.includes(ordinal))
          this.#break(
            `n${daemon.at} gave ${this.#mesh.machineOf(to)?.name} a key for copy ${ordinal}, which it sees on ${this.#mesh.machineOf(lease.peerId)?.name}`
          )
  }

  /** What runs is what is wanted soon enough. */
  converged({ late }: Pick<Convergence, 'late'>): void {
    for (const text of late.values()) this.#break(text)
  }

  /** Once everything is well again and time has passed. */
  settled(since: Pick<SettledInit, 'calmMs' | 'demandOf'>): void {
    const init = { clock: this.#clock, mesh: this.#mesh, owner: this.#owner, copies: this.copies() }
    for (const text of whatIsLeft({ ...init, ...since })) this.#break(text)
  }

  #break(text: string): void {
    const line = `${(this.#clock.elapsedMs / 1000).toFixed(1)} s: ${text}`
    if (!this.broken.some((one) => one.endsWith(text)) && this.broken.length < 20) this.broken.push(line)
  }
}

import { applyManifest } from '../../../src/client/apply/apply-manifest.ts'
import { fenceKeepersBefore } from '../../../src/client/apply/fence-keepers.ts'
import { idOf, signTombstone } from '../../../src/client/apply/seal.ts'
import type { SeenNode } from '../../../src/client/nodes.ts'
import { isBeemeshError, toHex } from '../../../src/common/index.ts'
import { decode, hasIdentifier } from '../../../src/envelope/index.ts'
import { encodeDeleteRequest, PROGRESS, STATUS_REPLY } from '../../../src/generated/fbs/index.ts'
import type { Manifest } from '../../../src/manifest/index.ts'
import { keysOf, NETWORK, type NodeKeys } from '../node/keys.ts'
import type { Machine, Mesh } from '../node/machine.ts'
import { type Host, newHost, type VirtualClock } from '../time/clock.ts'
import { documentOf, isFenced } from './documents.ts'
import { simulatedSession } from './session.ts'
import { type Signed, Truth } from './truth.ts'

/** What an owner wants of one name. */
export interface Asked {
  readonly replicas: number
  /** What makes the document another one. */
  readonly change: number
  /** @default what the name stands for */
  readonly manifest?: Manifest
}

export interface OwnerInit {
  readonly mesh: Mesh
  readonly clock: VirtualClock
  readonly note: (line: string) => void
  /** Something was thrown that says neither what failed nor why. */
  readonly onBug: (error: unknown) => void
}

/** A person or a pipeline that applies, changes and deletes through whichever node answers, with the client's own code. */
export class Owner {
  readonly truth = new Truth()
  readonly host: Host
  /** When its last command ended. */
  endedMs = 0
  readonly #init: OwnerInit
  readonly #keys: NodeKeys
  /** What was asked for last, by name. */
  readonly #files = new Map<string, Asked>()
  readonly #busy = new Set<string>()

  private constructor(init: OwnerInit, keys: NodeKeys) {
    this.#init = init
    this.#keys = keys
    this.host = newHost('owner')
  }

  static async create(init: OwnerInit): Promise<Owner> {
    return new Owner(init, await keysOf('owner'))
  }

  names(): string[] {
    return [...this.#files.keys()]
  }

  isBusy(name: string): boolean {
    return this.#busy.has(name)
  }

  /** Runs as the owner's process. */
  async apply(name: string, entry: Machine, asked: Asked): Promise<void> {
    const { replicas, change } = asked
    this.#files.set(name, asked)
    await this.#act(name, `applies ${name} x${replicas} (${change}) through ${entry.name}`, async () => {
      const manifest = asked.manifest ?? documentOf(name, replicas, change)
      const nodes = this.#nodesAs(entry)
      const session = this.#session(manifest, entry)
      const { placements } = await applyManifest(manifest, { session, nodes, to: [] })
      // a CronJob's runs begin later
      const isWhole =
        manifest.cron !== undefined || manifest.perNode || placements.length === manifest.replicas
      return isWhole && placements.every(({ error }) => error === undefined)
    })
  }

  async reapply(name: string, entry: Machine): Promise<void> {
    const file = this.#files.get(name)
    if (file === undefined) await this.delete(name, entry)
    else await this.apply(name, entry, file)
  }

  async delete(name: string, entry: Machine): Promise<void> {
    const { manifest = documentOf(name, 1, 0) } = this.#files.get(name) ?? {}
    this.#files.delete(name)
    await this.#act(name, `deletes ${name} through ${entry.name}`, async () => {
      const { key } = this.#keys
      const { id } = idOf(key, NETWORK.id, manifest)
      const nowMs = Date.now()
      const version = Math.max(nowMs, (this.truth.newest(toHex(id))?.version ?? 0) + 1)
      const session = this.#session(manifest, entry)
      const seen = this.#nodesAs(entry)
      const fenceKeepers = isFenced(name) ? await fenceKeepersBefore(id, { session, nodes: seen }) : []
      const record = signTombstone(id, { key, networkId: NETWORK.id, version, nowMs, fenceKeepers })
      const encode = (replyKey: Uint8Array) => encodeDeleteRequest({ record, replyKey })
      const nodes = seen.filter(({ state }) => state === 'alive')
      let isTaken = false
      await Promise.all(
        nodes.map(async (node) => {
          try {
            for await (const _body of session.ask(node, 'delete', encode));
            isTaken = true
          } catch {} // because most nodes do not have it
        })
      )
      const signed = this.truth.newest(toHex(id))
      if (isTaken && signed?.tombstone) signed.acknowledged = true
      return isTaken
    })
  }

  isOpen(name: string): boolean {
    return [...this.truth.manifests.values()].find((one) => one.name === name)?.isOpen ?? false
  }

  async #act(name: string, what: string, act: () => Promise<boolean>): Promise<void> {
    const { note } = this.#init
    this.#busy.add(name)
    note(`owner ${what}`)
    let worked = false
    try {
      worked = await act()
    } catch (error) {
      note(`owner fails: ${error instanceof Error ? error.name : error}`)
      if (!isBeemeshError(error)) this.#init.onBug(error)
    }
    this.#busy.delete(name)
    this.endedMs = this.#init.clock.nowMs
    note(`owner ${worked ? 'is done' : 'is left with failures'} of ${name}`)
    for (const one of this.truth.manifests.values()) if (one.name === name) one.isOpen = !worked
  }

  #session(manifest: Manifest, entry: Machine) {
    const { mesh, clock } = this.#init
    let last: Signed | undefined
    return simulatedSession({
      mesh,
      clock,
      key: this.#keys.key,
      host: this.host,
      entry,
      onRequest: (protocol, payload) => {
        if (protocol === 'apply' || protocol === 'delete')
          last = this.truth.note((payload as { record: Uint8Array }).record, manifest.name, {
            manifest,
            nowMs: clock.nowMs
          })
      },
      onFrame: (protocol, body) => {
        if (protocol !== 'apply' && protocol !== 'delete') return
        if (last === undefined) return
        // what a node says first of a copy is that it is written down, here and with keepers
        if (hasIdentifier(body, PROGRESS)) {
          if (decode(PROGRESS, body).errorCode === undefined) last.acknowledged = true
        } else if (decode(STATUS_REPLY, body).manifests.length > 0) last.acknowledged = true
      }
    })
  }

  #nodesAs(entry: Machine): SeenNode[] {
    if (entry.daemon === undefined) return []
    return this.#init.mesh.membersOf(entry).map((node) => ({ ...node, member: true, entry: node.self }))
  }
}

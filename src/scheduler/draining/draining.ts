import { equalBytes, isBeemeshError, toError } from '../../common/index.ts'
import type { Bundle, StoredManifest } from '../../workloads/index.ts'
import { CONCURRENCY } from '../constants.ts'
import { placeCopies } from '../healing/place-copies.ts'
import type { KeptTable } from '../keeping/kept-table.ts'
import type { Releasing } from '../keys/release-key.ts'
import type { CheckedRecord, World } from '../types.ts'
import { startOn } from './start-on.ts'
import { whyStays } from './why-stays.ts'

/** Nodes tried for one copy. Chosen. */
const MAX_TRIES = 3

/** What became of one copy. */
export interface Step {
  readonly manifestId: Uint8Array
  readonly ordinal: number
  readonly state: 'moving' | 'moved' | 'stays' | 'failed'
  /** Peer ID of the node that runs it, or is to. */
  readonly to?: string
  readonly code?: string
  readonly message?: string
}

/** Copies to be moved. @property to peer ID; undefined: wherever they fit */
export interface Move {
  readonly manifestId: Uint8Array
  readonly ordinals: readonly number[]
  readonly to?: string
}

export interface DrainingInit {
  readonly world: World
  readonly kept: KeptTable
  readonly releasing: Releasing
  readonly check: (bytes: Uint8Array) => CheckedRecord
}

interface Order extends Move {
  readonly record: CheckedRecord
  readonly bundle: Bundle
  readonly signal: AbortSignal
  readonly tell: (step: Omit<Step, 'manifestId'>) => void
}

/**
 * Lets other nodes run copies of this one: there first, then not here any more. Only what is fenced stops here first, because it may never
 * run twice.
 */
export class Draining {
  readonly #init: DrainingInit
  readonly #moving = new Set<string>()

  constructor(init: DrainingInit) {
    this.#init = init
  }

  /** Everything that runs here, as moves. */
  all(): Move[] {
    return this.#init.world.workloads.list().flatMap(({ manifestId, workloads }) => {
      const ordinals = workloads.filter(({ endedAtMs }) => endedAtMs === undefined).map((one) => one.ordinal)
      return ordinals.length === 0 ? [] : [{ manifestId, ordinals }]
    })
  }

  /** @param onStep told of every change @returns how each copy ended */
  async run(
    moves: readonly Move[],
    { onStep, signal }: { readonly onStep: (step: Step) => void; readonly signal: AbortSignal }
  ): Promise<Step[]> {
    const ended: Step[] = []
    // moves of one manifest one after the other, because each looks at where the others are
    const waiting = [...Map.groupBy(moves, ({ manifestId }) => manifestId.join()).values()]
    const work = async () => {
      for (let group = waiting.shift(); group !== undefined; group = waiting.shift())
        for (const move of group) {
          const { manifestId } = move
          const tell = (step: Omit<Step, 'manifestId'>) => {
            onStep({ manifestId, ...step })
            if (step.state !== 'moving') ended.push({ manifestId, ...step })
          }
          await this.#move(move, { signal, tell })
        }
    }
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, moves.length) }, work))
    return ended
  }

  async #move(move: Move, { signal, tell }: Pick<Order, 'signal' | 'tell'>): Promise<void> {
    const { world } = this.#init
    const stored = world.workloads.get(move.manifestId)
    const ordinals = move.ordinals.filter((one) => stored?.workloads.some(({ ordinal }) => ordinal === one))
    const key = move.manifestId.join()
    if (stored === undefined || stored.tombstone || ordinals.length === 0) return
    if (this.#moving.has(key)) {
      for (const ordinal of ordinals)
        tell({ ordinal, state: 'failed', code: 'BUSY', message: 'it is being moved already' })
      return
    }
    this.#moving.add(key)
    const left = new Set(ordinals)
    const told = (step: Omit<Step, 'manifestId'>) => {
      if (step.state !== 'moving') left.delete(step.ordinal)
      tell(step)
    }
    try {
      const { record, bundle } = this.#versionOf(stored)
      const why = whyStays(record)
      if (why !== undefined) for (const ordinal of ordinals) told({ ordinal, state: 'stays', message: why })
      else {
        const order = { ...move, ordinals, record, bundle, signal, tell: told }
        await (record.onPartition === 'fence' ? this.#stopFirst(order) : this.#startFirst(order))
      }
    } catch (thrown) {
      for (const ordinal of left) tell({ ordinal, state: 'failed', ...reasonOf(thrown, signal) })
    } finally {
      world.workloads.leave(move.manifestId, ordinals, false)
      this.#moving.delete(key)
    }
  }

  /** The newest version known here, with all that another node needs to run it. */
  #versionOf(stored: StoredManifest): { record: CheckedRecord; bundle: Bundle } {
    const kept = this.#init.kept.get(stored.manifestId)
    if (kept !== undefined && kept.record.version >= stored.version && !kept.record.tombstone) return kept
    const { record, content } = stored
    const bundle = { record, ciphertext: content?.ciphertext, sealedKeys: [], sealedShares: [] }
    return { record: this.#init.check(record), bundle: bundle as Bundle }
  }

  /** The copy runs in both places for a moment. */
  async #startFirst(order: Order): Promise<void> {
    const { world, releasing } = this.#init
    const { manifestId, record, bundle, signal, tell } = order
    world.workloads.leave(manifestId, order.ordinals, true)
    const avoid = new Map([[world.key.peerId, 'its copies are being moved away']])
    let left = [...order.ordinals]
    for (let attempt = 1; left.length > 0; attempt++) {
      const targets = await this.#targetsFor(order, left, avoid)
      const moved = await Promise.all(
        [...targets].map(async ([peerId, ordinals]) => {
          for (const ordinal of ordinals) {
            releasing.drains(manifestId, ordinal, peerId)
            tell({ ordinal, state: 'moving', to: peerId })
          }
          const why = await startOn(world, peerId, { ordinals, bundle, record, signal })
          if (why === undefined) {
            await world.workloads.drop(manifestId, ordinals)
            for (const ordinal of ordinals) tell({ ordinal, state: 'moved', to: peerId })
            return ordinals
          }
          avoid.set(peerId, why.code)
          if (attempt >= MAX_TRIES || order.to !== undefined)
            for (const ordinal of ordinals) tell({ ordinal, state: 'failed', to: peerId, ...why })
          return attempt >= MAX_TRIES || order.to !== undefined ? ordinals : []
        })
      )
      const done = new Set([
        ...moved.flat(),
        ...left.filter((one) => ![...targets.values()].flat().includes(one))
      ])
      left = left.filter((ordinal) => !done.has(ordinal))
    }
  }

  /** What is fenced must not run twice, so its key has to come from others: this node has forgotten it by then. */
  async #stopFirst(order: Order): Promise<void> {
    const { world } = this.#init
    const { manifestId, record, bundle, signal, tell } = order
    const avoid = new Map([[world.key.peerId, 'its copies are being moved away']])
    const targets = await this.#targetsFor(order, order.ordinals, avoid)
    for (const [peerId, ordinals] of targets) {
      if (!this.#canObtainKey(peerId, order)) {
        const message = 'it is fenced, so it would have to stop here first, and its key could not be had then'
        for (const ordinal of ordinals) tell({ ordinal, state: 'failed', code: 'KEY_UNAVAILABLE', message })
        continue
      }
      for (const ordinal of ordinals) tell({ ordinal, state: 'moving', to: peerId })
      await world.workloads.drop(manifestId, ordinals)
      const why = await startOn(world, peerId, { ordinals, bundle, record, signal, isStopped: true })
      for (const ordinal of ordinals)
        tell({
          ordinal,
          to: peerId,
          ...(why === undefined
            ? { state: 'moved' }
            : { state: 'failed', ...why, message: `${why.message}; its keepers bring it back` })
        })
    }
  }

  #canObtainKey(peerId: string, { bundle, record }: Order): boolean {
    const live = this.#init.world
      .neighbours()
      .filter(({ state, self }) => !self && (state === 'alive' || state === 'suspect'))
    const target = live.find((one) => one.peerId === peerId)
    const isStandby = bundle.sealedKeys.some(
      (one) => target !== undefined && equalBytes(one.recipient, target.publicKey)
    )
    const holders = record.shareHolders.filter(({ node }) =>
      live.some(({ publicKey }) => equalBytes(publicKey, node))
    )
    return isStandby || (record.shareThreshold > 0 && holders.length >= record.shareThreshold)
  }

  /** Ordinals by peer ID; those that find no node are told to have failed. */
  async #targetsFor(
    { record, to, signal, tell }: Order,
    ordinals: readonly number[],
    avoid: ReadonlyMap<string, string>
  ): Promise<Map<string, number[]>> {
    if (to !== undefined) return new Map([[to, [...ordinals]]])
    const { world } = this.#init
    const leaving = { peerId: world.key.peerId, ordinals }
    const made = await placeCopies(world, record, { ordinals, avoid, leaving, signal })
    for (const ordinal of made.unplaced)
      tell({ ordinal, state: 'failed', code: 'NOTHING_FITS', message: made.summary })
    const byNode = Map.groupBy(made.assignments, ({ peerId }) => peerId)
    return new Map([...byNode].map(([peerId, own]) => [peerId, own.map(({ ordinal }) => ordinal)]))
  }
}

function reasonOf(thrown: unknown, signal: AbortSignal): { code: string; message: string } {
  if (signal.aborted) return { code: 'TIMED_OUT', message: 'there was no time left to move it' }
  const error = toError(thrown)
  return { code: isBeemeshError(error) ? error.code : 'INTERNAL', message: error.message }
}

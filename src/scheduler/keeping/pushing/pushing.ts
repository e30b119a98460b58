import { equalBytes, isBeemeshError, withDeadline } from '../../../common/index.ts'
import type { VerdictInit } from '../../../generated/fbs/index.ts'
import type { Bundle, KeepOptions } from '../../../workloads/index.ts'
import { ASK_TIMEOUT_MS, DURABLE_KEEPERS } from '../../constants.ts'
import { SchedulerError } from '../../errors.ts'
import type { CheckedRecord, Neighbour, World } from '../../types.ts'
import { stale } from '../verdicts.ts'
import { giveOut } from './give-out.ts'
import { meetOthers } from './meet-others.ts'

export interface PushingInit {
  readonly world: World
  readonly check: (bytes: Uint8Array) => CheckedRecord
  readonly hasOthers?: () => boolean
  /** All that are to keep it and can be reached, nearest first. */
  readonly keepersOf: (record: CheckedRecord) => readonly Neighbour[]
  readonly take: (
    record: CheckedRecord,
    bundle: Bundle,
    how: { from: string; ordinals: readonly number[] }
  ) => Promise<void>
  readonly tellHighest: (record: CheckedRecord) => VerdictInit
  /** A keeper answers with a record that may contradict it. */
  readonly onOther: (record: CheckedRecord, bytes: Uint8Array | undefined) => void
  readonly signal: AbortSignal
}

/** As a node that takes copies: has the version written down by enough of its keepers before its owner hears that it is taken. */
export class Pushing {
  readonly #init: PushingInit

  constructor(init: PushingInit) {
    this.#init = init
  }

  /**
   * Gives a version to those nearest to it. Resolves when as many have it on disk as make it durable, or all that can be reached; the other
   * keepers get it from the nearest one. @throws WorkloadsError VERSION_STALE when one of them knows a newer version; SchedulerError
   * NOT_DURABLE when none has it, or most of its fence keepers do not; who has it then completes it when they are back
   */
  async push(bundle: Bundle, { ordinals, signal }: KeepOptions): Promise<void> {
    const { world, check, keepersOf, onOther } = this.#init
    const record = check(bundle.record)
    if (this.#init.hasOthers?.() === true) await meetOthers(world, { signal })
    const targets = keepersOf(record)
    const failures: string[] = []
    // because who applies the next version has to find by whose leave this one runs, or two nodes could run a copy
    const deciding = record.tombstone ? [] : record.fenceKeepers.map(({ node }) => node)
    let decidingHave = 0
    const isWhole = () => decidingHave * 2 > deciding.length || deciding.length === 0
    const durable = await giveOut({
      targets,
      // because the majority of these is asked before a copy starts
      must: ({ publicKey }) => record.fenceKeepers.some(({ node }) => equalBytes(node, publicKey)),
      isWhole,
      // a tombstone goes to all, because who keeps the version before would go on telling its owner of it
      enough: record.tombstone ? targets.length : Math.min(DURABLE_KEEPERS, targets.length),
      give: (target) => this.#give(target, record, bundle, ordinals),
      onAnswer: ({ highest = 0, record: other, code }, { name, publicKey }) => {
        onOther(record, other)
        if (highest > record.version) throw stale(highest, record.version)
        if (code !== undefined) failures.push(`${name}: ${code}`)
        else if (deciding.some((one) => equalBytes(one, publicKey))) decidingHave++
      },
      onSilent: (target, error) => {
        world.log('%s does not keep it: %e', target.name, error)
        failures.push(`${target.name}: ${isBeemeshError(error) ? error.code : 'INTERNAL'}`)
      },
      signal
    })
    // because what its owner takes for given would be gone with this process, and nobody would replace what is lost of it
    if (durable === 0)
      throw new SchedulerError(
        'NOT_DURABLE',
        `none of ${targets.length} nodes that are to keep it could write it down (${failures.join(', ')})`,
        { retryable: true }
      )
    if (!isWhole())
      throw new SchedulerError(
        'NOT_DURABLE',
        `only ${decidingHave} of the ${deciding.length} fence keepers have it, and most of them must (${failures.join(', ') || 'the others are away'})`,
        {
          retryable: true,
          hint: 'Apply again when they are back. When they are gone for good: beemesh apply --new-fence-keepers; see docs/MANIFESTS.md, "Fenced workloads".'
        }
      )
  }

  async #give(
    target: Neighbour,
    record: CheckedRecord,
    bundle: Bundle,
    ordinals: readonly number[]
  ): Promise<VerdictInit> {
    const { world, take, tellHighest, signal } = this.#init
    if (target.self) {
      await take(record, bundle, { from: target.peerId, ordinals })
      return tellHighest(record)
    }
    const limit = { signal: withDeadline(ASK_TIMEOUT_MS, signal) }
    return world.asks.keep(target.peerId, { ...bundle, ordinals }, limit)
  }
}

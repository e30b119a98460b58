import { withDeadline } from '../../common/index.ts'
import type { Bundle } from '../../workloads/index.ts'
import { CONFIRM_TIMEOUT_MS } from '../constants.ts'
import { liveCopies } from '../healing/count.ts'
import type { CheckedRecord, World } from '../types.ts'

/** An assignment is answered when the copy is written down, and the node may have to get the key first. */
const ASSIGN_TIMEOUT_MS = 15_000
/** How often it is looked whether a copy runs where it was moved to. Chosen. */
const LOOK_MS = 300

export interface Started {
  readonly ordinals: readonly number[]
  readonly bundle: Bundle
  readonly record: CheckedRecord
  readonly signal: AbortSignal
  /** They were stopped here before. @default false */
  readonly isStopped?: boolean
}

/** Has another node run copies of this one. @returns why not; undefined: they run there, and are ready where they were ready here */
export async function startOn(
  world: World,
  peerId: string,
  { ordinals, bundle, record, signal, isStopped = false }: Started
): Promise<{ code: string; message: string } | undefined> {
  const { manifestId, version } = record
  const here = world.workloads.get(manifestId)?.workloads ?? []
  const mustBeReady = here.some(({ ordinal, state }) => ordinals.includes(ordinal) && state === 'ready')
  const request = { ...bundle, ordinals: [...ordinals], drains: !isStopped }
  for (;;) {
    const limit = { signal: withDeadline(ASSIGN_TIMEOUT_MS, signal) }
    const verdict = await world.asks.assign(peerId, request, limit)
    // because a lease that was just taken back may still be seen there
    const isEarly = isStopped && verdict.code === 'NOT_NEEDED'
    if (verdict.code !== undefined && !isEarly)
      return { code: verdict.code, message: verdict.message ?? 'the node does not take it' }
    for (let look = 0; look * LOOK_MS < ASSIGN_TIMEOUT_MS / 5; look++) {
      const asked = { signal: withDeadline(CONFIRM_TIMEOUT_MS, signal), fresh: true }
      const leases = await world.find(manifestId, asked).catch(() => world.leased(manifestId))
      const there = liveCopies(leases).filter((one) => one.peerId === peerId && one.version >= version)
      const runs = (ordinal: number) =>
        there.some((one) => one.ordinal === ordinal && (one.isReady || !mustBeReady))
      if (ordinals.every(runs)) return undefined
      await world.delay(LOOK_MS, { signal })
    }
  }
}

import { defaultLogger } from '@libp2p/logger'
import type { BidEntryInit, BidRequest } from '../../../src/generated/fbs/index.ts'
import { generateSigningKey } from '../../../src/identity/index.ts'
import { makeBid } from '../../../src/scheduler/bids/bid.ts'
import type { Room } from '../../../src/scheduler/plan/index.ts'
import type { Lease, Neighbour, World } from '../../../src/scheduler/types.ts'
import { ownersOnly } from '../../../src/trust/index.ts'
import { NETWORK, NOW_MS, OWNER } from '../../envelope/fixtures.ts'

export const ROOM: Room = { cpuMillis: 1_000, memoryBytes: 2 ** 30, storageBytes: 2 ** 30, pods: 10 }

export interface Bidder {
  readonly labels?: Readonly<Record<string, string>>
  readonly engines?: readonly string[]
  readonly scheduling?: boolean
  readonly free?: Partial<Room>
  /** Copies of the manifest that it runs. */
  readonly ordinals?: readonly number[]
  /** No lease of it is known where bids are collected; a search finds it. */
  readonly isUnknown?: boolean
  /** Whom it obeys. @default the owner of the fixtures */
  readonly owners?: readonly string[]
  /** When its answer comes, on a clock that only waiting moves. @default at once */
  readonly answersAtMs?: number
  /** What it answers in the place of its bid. */
  readonly lie?: (request: BidRequest) => BidEntryInit[]
}

/** Nodes that bid with the node's own code, each with a key of its own; a mock of the rest of the world. The first one asks. */
export function createBidders(bidders: readonly Bidder[], { searchMs = 0 } = {}) {
  const clock = { ms: 0 }
  const asked: string[] = []
  const waiting: { atMs: number; wake: () => void }[] = []
  const keys = bidders.map(() => generateSigningKey())
  const neighbours = bidders.map(
    ({ labels = {}, engines = ['mock'], scheduling = true }, index) =>
      ({
        peerId: keys[index]!.peerId,
        publicKey: keys[index]!.publicKey,
        name: `n${index}`,
        self: false,
        state: 'alive',
        scheduling,
        labels,
        engines
      }) as unknown as Neighbour
  )
  const leasesOf = (isSeen: (one: Bidder) => boolean) =>
    bidders.flatMap((one, at) =>
      one.ordinals === undefined || !isSeen(one)
        ? []
        : [{ peerId: keys[at]!.peerId, workloads: one.ordinals } as unknown as Lease]
    )
  const worldOf = (index: number): World => {
    const { free, ordinals = [], owners = [OWNER.peerId] } = bidders[index]!
    const runs = { workloads: ordinals.map((ordinal) => ({ ordinal })) }
    return {
      key: keys[index]!,
      networkId: NETWORK.id,
      log: defaultLogger().forComponent('test'),
      trust: () => ownersOnly(new Set(owners)),
      load: () => 0,
      startedAtMs: NOW_MS,
      now: () => NOW_MS,
      random: Math.random,
      neighbours: () => neighbours.map((one, at) => ({ ...one, self: at === index })),
      leased: () => leasesOf((one) => one.isUnknown !== true),
      find: async () => {
        if (searchMs > clock.ms) await new Promise<void>((wake) => waiting.push({ atMs: searchMs, wake }))
        return leasesOf(() => true)
      },
      workloads: {
        get: () => (ordinals.length === 0 ? undefined : runs),
        resources: () => ({ free: { ...ROOM, ...free }, allocatable: ROOM })
      },
      async delay(ms: number, { signal }: { signal: AbortSignal }) {
        await new Promise(setImmediate) // who answers at once has answered
        signal.throwIfAborted()
        clock.ms += ms
        for (const one of waiting.filter(({ atMs }) => atMs <= clock.ms)) one.wake()
        await new Promise(setImmediate) // what was woken runs first
      },
      asks: {
        async bid(peerId: string, request: BidRequest) {
          const at = keys.findIndex((key) => key.peerId === peerId)
          const { answersAtMs = 0, lie } = bidders[at]!
          asked.push(`n${at}`)
          if (answersAtMs > clock.ms)
            await new Promise<void>((wake) => waiting.push({ atMs: answersAtMs, wake }))
          const bid = lie === undefined ? makeBid(worldOf(at), request) : undefined
          return { bids: lie?.(request) ?? (bid === undefined ? [] : [{ bid }]), asked: 1, members: 1 }
        }
      }
    } as unknown as World
  }
  return { keys, neighbours, asked, clock, worldOf, world: worldOf(0) }
}

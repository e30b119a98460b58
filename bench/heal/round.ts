import type { Hosts } from '../../test/fixtures/hosts.ts'
import { until } from '../../test/fixtures/until.ts'
import type { Bees } from './bees.ts'
import type { Calls } from './calls.ts'
import { type Cluster, type Loss, REPLICAS } from './cluster.ts'
import { aliveCopies } from './processes.ts'
import { Swarm } from './swarm.ts'

const HEAL_DEADLINE_MS = 120_000
const SETTLE_DEADLINE_MS = 120_000
/** It must stay as it should be for so long before the next loss: what comes too late shows. */
const QUIET_MS = 2_000
const LOOK_MS = 250

export interface Round {
  readonly cluster: string
  readonly loss: Loss
  readonly lost: number
  readonly role: string | undefined
  readonly replacement: number
  readonly fromMs: number
  /** Until the new copy's first process began, and until it answered. */
  readonly beganMs: number
  readonly healedMs: number
  /** Until all was as it should be, from the start of the host that was lost. */
  readonly settledMs: number
  /** Copies that reported ready between the loss and the end of the round: when, since the loss, and on which host. */
  readonly started: readonly { readonly ms: number; readonly host: number }[]
}

/** Loses a host that runs a copy, waits for the copy to come back elsewhere, and for everything to be as before. */
export async function loseOne(
  cluster: Bees | Swarm,
  { hosts, calls, loss, index }: { hosts: Hosts; calls: Calls; loss: Loss; index: number }
): Promise<Round> {
  const copies = await cluster.copies()
  const { host: lost } = copies.find(({ ordinal }) => ordinal === index % REPLICAS)!
  const role = cluster instanceof Swarm ? await cluster.roleOf(lost) : undefined
  // because whatever happens at intervals must not always be hit at the same moment
  await pause(Math.random() * 3_000)
  const fromMs = Date.now()
  if (loss === 'process killed') await hosts.crash(lost)
  else await hosts.kill(lost)
  const wanted = { fromMs, not: lost, deadlineMs: HEAL_DEADLINE_MS }
  const call = await calls.next(cluster.marker, wanted)
  const restartedAtMs = Date.now()
  if (loss === 'power gone') await hosts.boot(lost)
  await cluster.restart(lost)
  const settledAtMs = await settle(cluster, hosts)
  return {
    cluster: cluster.name,
    loss,
    lost,
    role,
    replacement: call.host,
    fromMs,
    beganMs: call.beganAtMs - fromMs,
    healedMs: call.atMs - fromMs,
    settledMs: settledAtMs - restartedAtMs,
    started: calls.since(cluster.marker, fromMs).map(({ atMs, host }) => ({ ms: atMs - fromMs, host }))
  }
}

/**
 * Waits until as many copies run as should, by everybody's word and by the kernel's, and that it stays so.
 * @returns when that began
 */
export async function settle(cluster: Cluster, hosts: Hosts): Promise<number> {
  let since: number | undefined
  let seen = ''
  const look = async () => {
    const alive = await aliveCopies(hosts, cluster.marker)
    const [whole, told] = await Promise.all([
      cluster.isWhole().catch((error: unknown) => String(error)),
      cluster.copies().catch(() => [])
    ])
    seen = `alive on ${alive}, told ${told.map(({ ordinal, host }) => `${ordinal}@${host}`)}, whole: ${whole}`
    const places = told.map(({ host }) => host).sort()
    const isRight = whole === true && places.length === REPLICAS && `${places}` === `${alive.sort()}`
    since = isRight ? (since ?? Date.now()) : undefined
    if (since !== undefined && Date.now() - since >= QUIET_MS) return since
    await pause(LOOK_MS)
    return undefined
  }
  return until('until all is settled', look, { deadlineMs: SETTLE_DEADLINE_MS }).catch((error: Error) => {
    throw new Error(`${cluster.name}: ${error.message}; ${seen}`)
  })
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

import type { Abortable } from '../common/index.ts'
import { timeoutSignal } from '../common/index.ts'
import { decode } from '../envelope/index.ts'
import { encodeQuery, type ManifestStatus, STATUS_REPLY } from '../generated/fbs/index.ts'
import { formatManifestId } from '../manifest/index.ts'
import { WireError } from '../wire/index.ts'
import type { Session } from './connection/session.ts'
import type { SeenNode } from './nodes.ts'
import type { Recoverable } from './types.ts'

/** Nodes asked at once. Chosen: each answer costs one key opening of 0.2-3 ms. */
const CONCURRENCY = 8
/** One node's answer; the others do not wait longer for it. Chosen. */
const ASK_TIMEOUT_MS = 5_000

/** What one node holds, or why it did not say. */
export interface Holding {
  readonly node: SeenNode
  readonly manifests: readonly ManifestStatus[]
  readonly error?: unknown
}

/** Asks nodes what they hold of ours. @param manifestIds none: everything */
export async function fetchHoldings(
  session: Session,
  nodes: readonly SeenNode[],
  {
    manifestIds = [],
    stats = false,
    signal
  }: { manifestIds?: readonly Uint8Array[]; stats?: boolean } & Abortable
): Promise<Holding[]> {
  const waiting = [...nodes]
  const holdings: Holding[] = []
  const worker = async () => {
    for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
      if (node.state === 'dead' || node.state === 'left') {
        const error = new WireError('NODE_UNREACHABLE', `${node.name} is ${node.state}`, { retryable: true })
        holdings.push({ node, manifests: [], error })
        continue
      }
      try {
        holdings.push({ node, manifests: await fetchHolding(session, node, { manifestIds, stats, signal }) })
      } catch (error) {
        signal?.throwIfAborted()
        holdings.push({ node, manifests: [], error })
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, nodes.length) }, worker))
  return holdings.sort((a, b) => a.node.name.localeCompare(b.node.name))
}

async function fetchHolding(
  session: Session,
  { publicKey, addresses }: SeenNode,
  { manifestIds, stats, signal }: { manifestIds: readonly Uint8Array[]; stats: boolean } & Abortable
): Promise<ManifestStatus[]> {
  const limit = AbortSignal.any([timeoutSignal(ASK_TIMEOUT_MS), ...(signal === undefined ? [] : [signal])])
  const encode = (replyKey: Uint8Array) =>
    encodeQuery({ replyKey, stats, manifestIds: manifestIds.map((value) => ({ value })) })
  const found: ManifestStatus[] = []
  for await (const body of session.ask({ publicKey, addresses }, 'status', encode, { signal: limit }))
    found.push(...decode(STATUS_REPLY, body).manifests)
  return found
}

/** One manifest with all the nodes that hold it. */
export interface HeldManifest {
  readonly id: string
  readonly manifest: ManifestStatus
  readonly holders: readonly { readonly node: SeenNode; readonly status: ManifestStatus }[]
}

/** Holdings turned round: by manifest, newest version first known. */
export function byManifest(holdings: readonly Holding[]): HeldManifest[] {
  const found = new Map<
    string,
    { id: string; manifest: ManifestStatus; holders: { node: SeenNode; status: ManifestStatus }[] }
  >()
  for (const { node, manifests } of holdings)
    for (const status of manifests) {
      const id = formatManifestId(status.manifestId)
      const entry = found.get(id) ?? { id, manifest: status, holders: [] }
      entry.holders.push({ node, status })
      found.set(id, { ...entry, manifest: isBetter(status, entry.manifest) ? status : entry.manifest })
    }
  return [...found.values()]
}

/** Who runs a manifest knows its name; who only keeps it does not. */
function isBetter(a: ManifestStatus, b: ManifestStatus): boolean {
  if ((a.name === '') !== (b.name === '')) return b.name === ''
  return a.version > b.version
}

/** The newest version that anybody keeps or runs. */
export function newestOf({ holders }: Pick<HeldManifest, 'holders'>): number {
  return Math.max(...holders.map(({ status }) => status.version))
}

/** How far a manifest is from being lost with the nodes that run it, as its keepers see it; undefined: nobody keeps it. */
export function recoverableOf({ holders }: Pick<HeldManifest, 'holders'>): Recoverable | undefined {
  const keepers = holders.map(({ status }) => status).filter(({ keeper }) => keeper)
  const newest = keepers.sort((a, b) => b.version - a.version)[0]
  if (newest === undefined) return undefined
  const { shareThreshold: threshold, shareHolders, liveHolders, standbys } = newest
  return { keepers: keepers.length, threshold, holders: shareHolders, liveHolders, standbys }
}

/** Whether enough of it runs, and whether it would come back. */
export function healthOf(
  { kind, replicas }: Pick<ManifestStatus, 'kind' | 'replicas'>,
  {
    holders,
    hasSilent,
    isPartial
  }: Pick<HeldManifest, 'holders'> & {
    readonly hasSilent: boolean
    /** Not every node was asked, so what is missing is not known. */
    readonly isPartial: boolean
  }
): { missing: number; recoverable: Recoverable | undefined; atRisk: true | undefined } {
  const recoverable = recoverableOf({ holders })
  // what is over, or waits for its time, is not missing
  const isRun = kind === 'Job' || kind === 'CronJob'
  const copies = holders.flatMap(({ status }) => status.workloads)
  const running = copies.filter(({ state }) => state === 'running' || state === 'ready')
  const missing =
    isRun || isPartial ? 0 : Math.max(0, replicas - new Set(running.map(({ ordinal }) => ordinal)).size)
  const isAlone = recoverable === undefined || (recoverable.keepers === 1 && !hasSilent)
  const { threshold = 0, liveHolders = 0, standbys = 0 } = recoverable ?? {}
  const atRisk = !isPartial && !isAlone && (threshold === 0 || liveHolders <= threshold) && standbys < 2
  return { missing, recoverable, atRisk: atRisk || undefined }
}

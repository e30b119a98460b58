import { type Abortable, delay, isoTime, toHex } from '../../common/index.ts'
import type { Record as RecordBody } from '../../generated/fbs/index.ts'
import type { Client } from '../client.ts'
import { ClientError } from '../errors.ts'
import { type HeldManifest, newestOf } from '../holders.ts'
import type { ManifestResult } from '../types.ts'
import type { ChangeOptions } from './change.ts'
import { fetchFrom, fetchRunning, runningVersion } from './fetch.ts'

/** How often nodes are asked while a rollout is waited for, ms. Chosen. */
const WATCH_MS = 1_000

export interface RolloutStatus {
  readonly manifestId: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
  /** The newest that any node keeps or runs. */
  readonly version: string
  readonly replicas: number
  /** Copies of the newest version that run. */
  readonly updated: number
  /** All copies that should run do, and of the newest version only. */
  readonly complete: boolean
  readonly nodes: readonly RolloutNode[]
}

export interface RolloutNode {
  readonly peerId: string
  readonly node: string
  /** What it runs; while it replaces copies, what it ran before. */
  readonly version: string
  readonly copies: number
  readonly running: number
}

/** How far the newest version has come. @param options.wait until it is complete, or the signal fires */
export async function rolloutStatus(
  client: Client,
  ref: string,
  {
    wait = false,
    onChange,
    signal
  }: Abortable & { wait?: boolean; onChange?: (status: RolloutStatus) => void } = {}
): Promise<RolloutStatus> {
  let told = ''
  for (;;) {
    const status = toStatus(await client.held(ref, { signal }))
    if (told !== JSON.stringify(status)) onChange?.(status)
    told = JSON.stringify(status)
    if (status.complete || !wait) return status
    await delay(WATCH_MS, { signal })
  }
}

function toStatus(held: HeldManifest): RolloutStatus {
  const { id, manifest, holders } = held
  const newest = newestOf(held)
  const isRunning = ({ state }: { state: string }) => state === 'running' || state === 'ready'
  const hosts = holders.filter(({ status }) => status.workloads.length > 0)
  const nodes = hosts.map(({ node, status }) => ({
    peerId: node.peerId,
    node: node.name,
    version: String(status.version),
    copies: status.workloads.length,
    running: status.workloads.filter(isRunning).length
  }))
  const updated = nodes
    .filter(({ version }) => version === String(newest))
    .reduce((sum, { running }) => sum + running, 0)
  const { replicas } = holders.find(({ status }) => status.version === newest)?.status ?? manifest
  const isRun = manifest.kind === 'Job' || manifest.kind === 'CronJob'
  const isEverywhere = nodes.every(({ version }) => version === String(newest))
  const isAll = isRun || (manifest.kind === 'DaemonSet' ? updated >= 1 : updated === replicas)
  const { kind, name, namespace } = manifest
  const complete = isEverywhere && isAll
  return {
    manifestId: id,
    kind,
    name,
    namespace,
    version: String(newest),
    replicas,
    updated,
    complete,
    nodes
  }
}

export interface RolloutHistory {
  readonly manifestId: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
  /** Newest first. */
  readonly versions: readonly {
    readonly version: string
    /** ISO 8601: when its owner signed it. */
    readonly issuedAt: string
    readonly replicas: number
    /** It is the one that runs. */
    readonly current: boolean
    /** Names of nodes that can give it back. */
    readonly nodes: readonly string[]
  }[]
}

/** Versions that nodes can give back, those with the same content once. */
export async function rolloutHistory(
  client: Client,
  ref: string,
  { signal }: Abortable = {}
): Promise<RolloutHistory> {
  const held = await client.held(ref, { signal })
  const { kind, name, namespace } = held.manifest
  const current = runningVersion(held)
  const found = await collect(client, held, { signal })
  const versions = [...found.values()]
    .sort((a, b) => b.record.version - a.record.version)
    .map(({ record, nodes }) => ({
      version: String(record.version),
      issuedAt: isoTime(record.issuedAt),
      replicas: record.replicas,
      current: record.version === current,
      nodes: [...nodes].sort()
    }))
  return { manifestId: held.id, kind, name, namespace, versions }
}

async function collect(
  { session }: Client,
  held: HeldManifest,
  { signal }: Abortable
): Promise<Map<string, { record: RecordBody; nodes: Set<string> }>> {
  const found = new Map<string, { record: RecordBody; nodes: Set<string> }>()
  const hosts = held.holders.filter(({ status }) => status.name !== '')
  await Promise.all(
    hosts.map(async ({ node }) => {
      const { manifestId } = held.manifest
      const own = await fetchFrom(session, node, { manifestId, signal }).catch(() => undefined)
      signal?.throwIfAborted()
      for (const record of own === undefined ? [] : [own.record, ...own.history]) {
        const key = `${record.version} ${toHex(record.ciphertextDigest ?? new Uint8Array())}`
        const entry = found.get(key) ?? { record, nodes: new Set() }
        found.set(key, { record, nodes: entry.nodes.add(node.name) })
      }
    })
  )
  return found
}

/**
 * What ran before, or the version named, once more as a newer version: all of it, its number of copies too.
 * @throws ClientError NO_VERSION_BEFORE, NOT_READABLE, REF_NOT_FOUND, REF_AMBIGUOUS
 */
export async function undo(
  client: Client,
  ref: string,
  { to, signal, onProgress }: ChangeOptions & { readonly to?: number } = {}
): Promise<ManifestResult> {
  const held = await client.held(ref, { signal })
  const version = to ?? (await before(client, held, ref, { signal }))
  const { manifest } = await fetchRunning(client.session, held, { version, signal })
  const [result] = await client.apply([manifest], { signal, onProgress })
  return result!
}

async function before(
  client: Client,
  held: HeldManifest,
  ref: string,
  { signal }: Abortable
): Promise<number> {
  const current = runningVersion(held)
  const found = await collect(client, held, { signal })
  const older = [...found.values()].map(({ record }) => record.version).filter((one) => one < current)
  if (older.length > 0) return Math.max(...older)
  throw new ClientError(
    'NO_VERSION_BEFORE',
    `no node that runs ${ref} has a version before the one that runs`,
    {
      hint: 'See which there are with "beemesh rollout history". A node keeps five, and none once the manifest is deleted.'
    }
  )
}

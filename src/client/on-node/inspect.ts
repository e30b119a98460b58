import {
  type Abortable,
  equalBytes,
  isBeemeshError,
  safeText,
  toHex,
  withDeadline
} from '../../common/index.ts'
import { decode, INSPECTION, openObject, PROVIDER_LIST, RECORD } from '../../envelope/index.ts'
import { encodeQuery, type HeldVersion } from '../../generated/fbs/index.ts'
import { peerIdFromPublicKey } from '../../identity/index.ts'
import { formatManifestId } from '../../manifest/index.ts'
import { openProviderStatement } from '../../providers/index.ts'
import type { Session } from '../connection/session.ts'
import type { SeenNode } from '../nodes.ts'
import type { Candidate } from '../resolve/references.ts'

/** The node's answer. Chosen. */
const ASK_TIMEOUT_MS = 10_000

/** What a record says in clear. Numbers of 64 bits as decimal strings. */
export interface RecordView {
  readonly owner: string
  readonly version: string
  /** ISO 8601 */
  readonly issuedAt: string
  readonly notAfter: string
  readonly tombstone: boolean
  readonly replicas: number
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly plaintextBytes: number
  readonly cipher: string
  readonly kem: string
  /** Hexadecimal. */
  readonly ciphertextDigest?: string
  readonly keyCommitment?: string
  readonly lifetime: string
  /** Of a Job or CronJob, hexadecimal. */
  readonly factsKey?: string
  readonly perNode: boolean
  /** 0: twice the replicas. */
  readonly maxCopies: number
  readonly storageBytes: number
  readonly engine?: string
  /** The rules where copies may run, canonical JSON. */
  readonly placement?: string
  readonly onPartition: string
  readonly onNodeLoss: string
  readonly shareThreshold: number
  /** Peer IDs. */
  readonly shareHolders: readonly string[]
  readonly recoveryNodes: readonly string[]
  /** Those of which a majority lets a copy run. */
  readonly fenceKeepers: readonly string[]
  /** How many copies there are, canonical JSON. */
  readonly autoscale?: string
}

/** One version of a manifest as a node holds it. */
export interface HeldView {
  readonly manifestId: string
  /**
   * host: runs it, and opens the whole document · standby: opens it, too, and runs it when others are lost · holder: keeps a share of the key
   * · keeper: record and ciphertext, no key · record: the record alone
   */
  readonly role: 'host' | 'standby' | 'holder' | 'keeper' | 'record'
  readonly record?: RecordView
  readonly ciphertextBytes: number
  /** The node's key that the content key is sealed to, whether or not it opens. */
  readonly sealedToEpoch?: string
  /** What it opened for this answer. */
  readonly document?: { readonly bytes: number; readonly sha256: string }
  /** On its disk in clear besides. */
  readonly clear?: { readonly kind: string; readonly name: string; readonly namespace: string }
  readonly copies: number
  readonly shares: number
}

/** What one node can read of a manifest. */
export interface InspectionView {
  readonly node: string
  readonly peerId: string
  /** The node that this question went through: it passes requests on. */
  readonly entry: boolean
  readonly held: readonly HeldView[]
  /** Providers of it that the node finds, as everybody in the network does who knows its ID. */
  readonly finds: readonly {
    readonly node: string
    readonly manifestId: string
    readonly copies: readonly string[]
  }[]
  /** What could not be found out, and why. */
  readonly unknown: readonly {
    readonly about: 'held' | 'finds'
    readonly code: string
    readonly message: string
  }[]
}

/** Asks a node what it holds of a manifest, and can open, and what it finds of it in the network. Nothing is taken from theory. */
export async function inspectOn(
  session: Session,
  node: SeenNode,
  { wanted, signal }: Abortable & { readonly wanted: readonly Candidate[] }
): Promise<InspectionView> {
  const unknown: InspectionView['unknown'][number][] = []
  const attempt = async <T>(about: 'held' | 'finds', ask: () => Promise<T[]>): Promise<T[]> => {
    try {
      return await ask()
    } catch (error) {
      signal?.throwIfAborted()
      const code = isBeemeshError(error) ? error.code : 'CONNECTION_LOST'
      unknown.push({ about, code, message: safeText(error instanceof Error ? error.message : String(error)) })
      return []
    }
  }
  const ids = wanted.map(({ manifestId }) => manifestId)
  const held = await attempt('held', () => heldBy(session, node, ids, withDeadline(ASK_TIMEOUT_MS, signal)))
  const finds = await attempt('finds', () =>
    foundBy(session, node, ids, withDeadline(ASK_TIMEOUT_MS, signal))
  )
  return { node: node.name, peerId: node.peerId, entry: node.entry, held, finds, unknown }
}

async function heldBy(
  session: Session,
  node: SeenNode,
  ids: readonly Uint8Array[],
  signal: AbortSignal
): Promise<HeldView[]> {
  const encode = (replyKey: Uint8Array) =>
    encodeQuery({ replyKey, manifestIds: ids.map((value) => ({ value })) })
  const held: HeldView[] = []
  for await (const body of session.ask(node, 'inspect', encode, { signal }))
    for (const one of decode(INSPECTION, body).held)
      if (ids.some((id) => equalBytes(id, one.manifestId)))
        held.push(toView(one, session.connection.networkId))
  return held
}

function toView(held: HeldVersion, networkId: Uint8Array): HeldView {
  const { manifestId, ciphertextBytes, sealingEpoch, documentBytes, documentDigest, copies, shares } = held
  const { kind, name, namespace } = held
  const record = held.record === undefined ? undefined : recordOf(held.record, networkId)
  const opens = documentBytes > 0 && documentDigest !== undefined
  return {
    manifestId: formatManifestId(manifestId),
    role: roleOf(held, opens),
    record,
    ciphertextBytes,
    sealedToEpoch: sealingEpoch === 0 ? undefined : String(sealingEpoch),
    document: opens ? { bytes: documentBytes, sha256: toHex(documentDigest) } : undefined,
    clear:
      kind === undefined || name === undefined || namespace === undefined
        ? undefined
        : { kind: safeText(kind, 32), name: safeText(name, 253), namespace: safeText(namespace, 63) },
    copies,
    shares
  }
}

function roleOf({ kind, ciphertextBytes, shares }: HeldVersion, opens: boolean): HeldView['role'] {
  if (opens) return kind === undefined ? 'standby' : 'host'
  if (shares > 0) return 'holder'
  return ciphertextBytes > 0 ? 'keeper' : 'record'
}

/** What the record says to whoever has its bytes. @throws EnvelopeError when the node gave something else for it */
function recordOf(bytes: Uint8Array, networkId: Uint8Array): RecordView {
  const { author, body } = openObject(bytes, { kind: 'record', networkId })
  const record = decode(RECORD, body)
  return {
    owner: peerIdFromPublicKey(author),
    version: String(record.version),
    issuedAt: new Date(record.issuedAt).toISOString(),
    notAfter: new Date(record.notAfter).toISOString(),
    tombstone: record.tombstone,
    replicas: record.replicas,
    cpuMillis: record.cpuMillis,
    memoryBytes: record.memoryBytes,
    plaintextBytes: record.plaintextBytes,
    cipher: record.cipher,
    kem: record.kem,
    ciphertextDigest: record.ciphertextDigest && toHex(record.ciphertextDigest),
    keyCommitment: record.keyCommitment && toHex(record.keyCommitment),
    lifetime: record.lifetime,
    factsKey: record.factsKey && toHex(record.factsKey),
    perNode: record.perNode,
    maxCopies: record.maxCopies,
    storageBytes: record.storageBytes,
    engine: record.engine && safeText(record.engine, 32),
    placement: record.placement && safeText(record.placement, 8192),
    onPartition: record.onPartition,
    onNodeLoss: record.onNodeLoss,
    shareThreshold: record.shareThreshold,
    shareHolders: record.shareHolders.map(({ node }) => peerIdFromPublicKey(node)),
    recoveryNodes: record.recoveryNodes.map(({ node }) => peerIdFromPublicKey(node)),
    fenceKeepers: record.fenceKeepers.map(({ node }) => peerIdFromPublicKey(node)),
    autoscale: record.autoscale && safeText(record.autoscale, 4096)
  }
}

async function foundBy(
  session: Session,
  node: SeenNode,
  ids: readonly Uint8Array[],
  signal: AbortSignal
): Promise<InspectionView['finds'][number][]> {
  const encode = (replyKey: Uint8Array) =>
    encodeQuery({ replyKey, manifestIds: ids.map((value) => ({ value })) })
  const finds: InspectionView['finds'][number][] = []
  for await (const body of session.ask(node, 'providers', encode, { signal })) {
    const { manifestId, providers } = decode(PROVIDER_LIST, body)
    const context = { manifestId, networkId: session.connection.networkId, nowMs: Date.now() }
    for (const { statement, source } of providers)
      try {
        const { nodeName, workloads } = openProviderStatement(statement, { ...context, source })
        const copies = workloads.map(({ workloadId }) => safeText(workloadId, 63))
        finds.push({ node: safeText(nodeName, 63), manifestId: formatManifestId(manifestId), copies })
      } catch {
        // because what does not verify was not said
      }
  }
  return finds
}

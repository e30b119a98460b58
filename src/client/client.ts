import { type Abortable, equalBytes } from '../common/index.ts'
import type { Workload } from '../generated/fbs/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { WireError } from '../wire/index.ts'
import { applyManifest } from './apply/apply-manifest.ts'
import { deleteHeld } from './apply/delete.ts'
import { type PlanView, planManifest } from './apply/dry-run.ts'
import { auditEntries } from './audit/fetch.ts'
import type { AuditEntryView, AuditQuery, AuditVerdict } from './audit/types.ts'
import { verifyAudit } from './audit/verify.ts'
import type { Session } from './connection/session.ts'
import { type EventsSource, eventsOf } from './events.ts'
import { type ExecQuery, execOn } from './exec.ts'
import { byManifest, fetchHoldings } from './holders.ts'
import { logsOf } from './logs.ts'
import { mergeAll } from './merge.ts'
import { assertMember, fetchNodes, type Roots, resolveAny, resolveNode, type SeenNode } from './nodes.ts'
import { type EvictOptions, evictFrom, type GuestManifest, guestsOn } from './on-node/evict.ts'
import { type InspectionView, inspectOn } from './on-node/inspect.ts'
import { findProviders } from './resolve/find-providers.ts'
import { candidates, notFound } from './resolve/references.ts'
import { type FoundManifest, resolveManifest } from './resolve/resolve-manifest.ts'
import type {
  ApplyOptions,
  DeleteOptions,
  EventsQuery,
  EventView,
  FoundProvider,
  LogLineView,
  LogsQuery,
  ManifestResult,
  ManifestStatusView
} from './types.ts'
import { isRunner, silentOf, toView } from './views.ts'

/** Manifests of one file on their way at once. Chosen. */
const APPLY_CONCURRENCY = 4

export interface ClientInit {
  readonly session: Session
  /** Who besides the owner makes nodes members. */
  readonly roots?: readonly string[]
  /** @default "default" */
  readonly namespace?: string
}

/** What an owner does with a mesh. Holds nothing but the connection; every answer is checked. */
export class Client {
  readonly #session: Session
  readonly #roots: Roots
  readonly #namespace: string

  constructor({ session, roots = [], namespace = 'default' }: ClientInit) {
    this.#session = session
    this.#roots = new Set([session.key.peerId, ...roots])
    this.#namespace = namespace
  }

  get session(): Session {
    return this.#session
  }

  /** Every node that holds a manifest. @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS; WireError NODE_UNREACHABLE */
  held(ref: string, options: Abortable = {}): Promise<FoundManifest> {
    return this.#resolve(ref, options)
  }

  /** Every node the entry node has heard of. */
  nodes(options: Abortable = {}): Promise<SeenNode[]> {
    return fetchNodes(this.#session, this.#roots, options)
  }

  /** Runs manifests; failures of single copies are in the results. @throws ClientError when a node cannot be resolved */
  async apply(manifests: readonly Manifest[], options: ApplyOptions = {}): Promise<ManifestResult[]> {
    const { signal, onProgress, newFenceKeepers } = options
    const { nodes, to } = await this.#chosen(options)
    const results: ManifestResult[] = new Array(manifests.length)
    const waiting = [...manifests.entries()]
    const worker = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        results[next[0]] = await applyManifest(next[1], {
          session: this.#session,
          nodes,
          to,
          signal,
          onProgress,
          newFenceKeepers
        })
    }
    await Promise.all(Array.from({ length: Math.min(APPLY_CONCURRENCY, manifests.length) }, worker))
    return results
  }

  /** What an apply would do. Nothing is changed. @throws ClientError as apply */
  async plan(manifests: readonly Manifest[], options: ApplyOptions = {}): Promise<PlanView[]> {
    const { signal } = options
    const { nodes, to } = await this.#chosen(options)
    const plans: PlanView[] = []
    for (const manifest of manifests)
      plans.push(await planManifest(manifest, { session: this.#session, nodes, to, signal }))
    return plans
  }

  async #chosen({ to = [], signal }: ApplyOptions) {
    const nodes = await this.nodes({ signal })
    const roots = this.#roots
    const chosen = await Promise.all(
      to.map((name) => resolveNode(this.#session, name, { nodes, roots, signal }))
    )
    for (const node of nodes) if (node.entry && to.length === 0) assertMember(node, node.name)
    return { nodes, to: [...new Map(chosen.map((node) => [node.peerId, node])).values()] }
  }

  /** The member a person named. @throws ClientError as {@link resolveNode} */
  async node(name: string, { signal }: Abortable = {}): Promise<SeenNode> {
    const nodes = await this.nodes({ signal })
    return resolveNode(this.#session, name, { nodes, roots: this.#roots, signal })
  }

  /** What the entry node holds of ours; with `all`, what every node holds. */
  async workloads({
    all = false,
    stats = false,
    signal
  }: { all?: boolean; stats?: boolean } & Abortable = {}): Promise<ManifestStatusView[]> {
    const nodes = await this.nodes({ signal })
    const holdings = await fetchHoldings(this.#session, all ? nodes : nodes.filter(({ entry }) => entry), {
      stats,
      signal
    })
    if (!all && holdings[0]?.error !== undefined) throw holdings[0].error
    const silent = silentOf(holdings)
    return byManifest(holdings)
      .filter(({ manifest }) => all || manifest.name !== '') // what the entry node only keeps is not what it runs
      .map((held) => toView({ ...held, silent, isPartial: !all }, this.#session.key.peerId))
  }

  /** @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS */
  async status(ref: string, options: Abortable = {}): Promise<ManifestStatusView> {
    return toView(await this.#resolve(ref, options), this.#session.key.peerId)
  }

  /** Stops and forgets a manifest wherever it is held. @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS */
  async delete(ref: string, { signal, onProgress, volumes }: DeleteOptions = {}): Promise<ManifestResult> {
    const held = await this.#resolve(ref, { signal })
    return deleteHeld(this.#session, held, { signal, onProgress, volumes })
  }

  /** Who runs it, found by the entry node, each statement checked here. Nobody: an empty list. */
  async providers(
    ref: string,
    { signal }: Abortable = {}
  ): Promise<{ manifestId: string; providers: FoundProvider[] }> {
    return findProviders(this.#session, ref, { namespace: this.#namespace, signal })
  }

  /** Log lines of every copy, as they come. @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS */
  async *logs(ref: string, { signal, ...query }: LogsQuery = {}): AsyncGenerator<LogLineView> {
    const held = await this.#resolve(ref, { signal })
    const stop = new AbortController()
    const limited = {
      ...query,
      signal: AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])])
    }
    const sources = held.holders
      .filter(isRunner)
      .map(({ node }) => logsOf(this.#session, { node, manifestId: held.manifest.manifestId }, limited))
    yield* mergeAll(sources, stop)
  }

  /**
   * What happened to workloads of ours on every node, as each tells it. @param ref none: all, and what the entry node saw happen to nodes
   * @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS
   */
  async *events(
    ref: string | undefined,
    { onSilent = () => {}, ...query }: EventsQuery & { onSilent?: EventsSource['onSilent'] } = {}
  ): AsyncGenerator<EventView> {
    // by all IDs the reference may mean: what happened to a manifest outlives it
    const manifestIds =
      ref === undefined
        ? []
        : candidates(this.#session, ref, this.#namespace).map(({ manifestId }) => manifestId)
    const nodes = await this.nodes({ signal: query.signal })
    const observer = ref === undefined ? this.#session.entry.publicKey : undefined
    yield* eventsOf(this.#session, { nodes, manifestIds, observer, onSilent }, query)
  }

  /** What a node holds of a manifest and can read of it. @param name of the node; it need not be a member @throws ClientError as {@link resolveNode} */
  async inspect(ref: string, name: string, { signal }: Abortable = {}): Promise<InspectionView> {
    const node = await this.#anyNode(name, { signal })
    return inspectOn(this.#session, node, { wanted: candidates(this.#session, ref, this.#namespace), signal })
  }

  /** What guests run on a node that the asker may stop there. @param name none: the entry node */
  async guests(name: string | undefined, { signal }: Abortable = {}): Promise<GuestManifest[]> {
    return guestsOn(this.#session, await this.#anyNode(name, { signal }), { signal })
  }

  /** Stops and forgets what a guest runs on a node. @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS */
  async evict(ref: string, name: string | undefined, options: EvictOptions): Promise<GuestManifest> {
    return evictFrom(this.#session, await this.#anyNode(name, options), ref, options)
  }

  async #anyNode(name: string | undefined, { signal }: Abortable): Promise<SeenNode> {
    return resolveAny(this.#session, name, {
      nodes: await this.nodes({ signal }),
      roots: this.#roots,
      signal
    })
  }

  /** What a node was asked and did, as it tells it. @param name none: the entry node @throws ClientError as {@link resolveNode} */
  async *audit(name: string | undefined, query: AuditQuery = {}): AsyncGenerator<AuditEntryView> {
    const { node } = await this.#audited(name, query)
    yield* auditEntries(this.#session, node, query)
  }

  /** Whether that is what it always told, to itself and to the others. */
  async verifyAudit(name: string | undefined, options: Abortable = {}): Promise<AuditVerdict> {
    return verifyAudit(this.#session, await this.#audited(name, options), options)
  }

  /** @returns the node, and the others that may hold heads of its log */
  async #audited(name: string | undefined, { signal }: Abortable) {
    const nodes = await this.nodes({ signal })
    const { entry } = this.#session
    const node =
      name === undefined
        ? nodes.find(({ publicKey }) => equalBytes(publicKey, entry.publicKey))
        : await resolveNode(this.#session, name, { nodes, roots: this.#roots, signal })
    if (node === undefined)
      throw new WireError('REPLY_INVALID', 'the entry node gave no statement of itself that can be verified')
    const others = nodes.filter(
      ({ peerId, state }) => peerId !== node.peerId && state !== 'dead' && state !== 'left'
    )
    return { node, others }
  }

  /** Runs a command in the first copy that runs, or in the one named. @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS */
  async exec(
    ref: string,
    query: ExecQuery & { readonly workloadId?: string }
  ): Promise<{ readonly exitCode: number }> {
    const held = await this.#resolve(ref, { signal: query.signal })
    const { manifestId } = held.manifest
    const wanted = ({ workloadId, state }: Workload) =>
      (query.workloadId === undefined || query.workloadId === workloadId) &&
      (state === 'running' || state === 'ready')
    const holder = held.holders.find(({ status }) => status.workloads.some(wanted))
    if (holder === undefined) throw notFound(ref, 'no copy of it runs')
    const workloadId = holder.status.workloads.find(wanted)!.workloadId
    return execOn(this.#session, { target: holder.node, manifestId, workloadId }, query)
  }

  #resolve(ref: string, { signal }: Abortable): Promise<FoundManifest> {
    const nodes = () => this.nodes({ signal })
    return resolveManifest(this.#session, ref, { namespace: this.#namespace, nodes, signal })
  }
}

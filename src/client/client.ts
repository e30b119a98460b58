import { type Abortable, equalBytes, toError } from '../common/index.ts'
import { decode, hasIdentifier } from '../envelope/index.ts'
import {
  encodeDeleteRequest,
  encodeQuery,
  PROGRESS,
  PROVIDER_LIST,
  type Workload
} from '../generated/fbs/index.ts'
import { formatManifestId, type Manifest } from '../manifest/index.ts'
import { openProviderStatement, type ProviderView } from '../providers/index.ts'
import { WireError } from '../wire/index.ts'
import { applyManifest, failedPlacement, toPlacement } from './apply/apply-manifest.ts'
import { type PlanView, planManifest } from './apply/dry-run.ts'
import { signTombstone } from './apply/seal.ts'
import { auditEntries } from './audit/fetch.ts'
import type { AuditEntryView, AuditQuery, AuditVerdict } from './audit/types.ts'
import { verifyAudit } from './audit/verify.ts'
import type { Session } from './connection/session.ts'
import { type EventsSource, eventsOf } from './events.ts'
import { type ExecQuery, execOn } from './exec.ts'
import { byManifest, fetchHoldings, type HeldManifest, newestOf } from './holders.ts'
import { logsOf } from './logs.ts'
import { mergeAll } from './merge.ts'
import { assertMember, fetchNodes, type Roots, resolveNode, type SeenNode } from './nodes.ts'
import { type EvictOptions, evictFrom, type GuestManifest, guestsOn } from './on-node/evict.ts'
import { type InspectionView, inspectOn } from './on-node/inspect.ts'
import { type Candidate, candidates, notFound, onlyOne } from './references.ts'
import type {
  ApplyOptions,
  DeleteOptions,
  EventsQuery,
  EventView,
  FoundProvider,
  LogLineView,
  LogsQuery,
  ManifestResult,
  ManifestStatusView,
  Placement
} from './types.ts'
import { isRunner, missingOrdinals, nameless, silentOf, toFound, toView, unanswered } from './views.ts'

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
  held(ref: string, options: Abortable = {}): Promise<HeldManifest & { silent: readonly SeenNode[] }> {
    return this.#resolve(ref, options)
  }

  /** Every node the entry node has heard of. */
  nodes(options: Abortable = {}): Promise<SeenNode[]> {
    return fetchNodes(this.#session, this.#roots, options)
  }

  /** Runs manifests; failures of single copies are in the results. @throws ClientError when a node cannot be resolved */
  async apply(manifests: readonly Manifest[], options: ApplyOptions = {}): Promise<ManifestResult[]> {
    const { signal, onProgress } = options
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
          onProgress
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
      .map((held) => toView({ ...nameless(held), silent, isPartial: !all }, this.#session.key.peerId))
  }

  /** @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS */
  async status(ref: string, options: Abortable = {}): Promise<ManifestStatusView> {
    return toView(await this.#resolve(ref, options), this.#session.key.peerId)
  }

  /** Stops and forgets a manifest wherever it is held. @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS */
  async delete(ref: string, { signal, onProgress, volumes }: DeleteOptions = {}): Promise<ManifestResult> {
    const held = await this.#resolve(ref, { signal })
    const version = Math.max(Date.now(), newestOf(held) + 1)
    const { key, connection } = this.#session
    const id = held.manifest.manifestId
    const record = signTombstone(id, { key, networkId: connection.networkId, version, nowMs: Date.now() })
    const running = held.holders.filter(isRunner)
    const perNode = await Promise.all(
      (running.length > 0 ? running : held.holders.slice(0, 1)).map(async ({ node, status }) => {
        const last = new Map<string, Placement>()
        const encode = (replyKey: Uint8Array) => encodeDeleteRequest({ record, replyKey, volumes })
        try {
          for await (const body of this.#session.ask(node, 'delete', encode, { signal })) {
            if (!hasIdentifier(body, PROGRESS)) continue
            const placement = toPlacement(node, decode(PROGRESS, body).workload)
            last.set(placement.workloadId, placement)
            onProgress?.({ ...placement, manifestId: held.id, name: held.manifest.name })
          }
          return [...last.values()]
        } catch (thrown) {
          return status.workloads.map(({ ordinal }) => failedPlacement(node, ordinal, toError(thrown)))
        }
      })
    )
    const missing = missingOrdinals(held)
    const unheard =
      missing.length === 0
        ? []
        : held.silent.map((node) => failedPlacement(node, missing[0]!, unanswered(node)))
    const { kind, name, namespace } = held.manifest
    const placements = [...perNode.flat(), ...unheard]
    return {
      manifestId: held.id,
      kind,
      name,
      namespace,
      version: String(version),
      owner: key.peerId,
      placements
    }
  }

  /** Who runs it, found by the entry node, each statement checked here. Nobody: an empty list. */
  async providers(
    ref: string,
    { signal }: Abortable = {}
  ): Promise<{ manifestId: string; providers: FoundProvider[] }> {
    const wanted = candidates(this.#session, ref, this.#namespace)
    const manifestIds = wanted.map(({ manifestId: value }) => ({ value }))
    const encode = (replyKey: Uint8Array) => encodeQuery({ replyKey, manifestIds })
    const found: { id: string; kind?: string; name?: string; views: ProviderView[] }[] = []
    for await (const body of this.#session.ask(this.#session.entry, 'providers', encode, { signal })) {
      const { manifestId, providers } = decode(PROVIDER_LIST, body)
      const context = { manifestId, networkId: this.#session.connection.networkId, nowMs: Date.now() }
      const views = providers.flatMap(({ statement, source }) => {
        try {
          return [openProviderStatement(statement, { ...context, source })]
        } catch {
          return [] // because the entry node passes on what others say; what does not verify was not said
        }
      })
      const id = formatManifestId(manifestId)
      const candidate = wanted.find((one) => formatManifestId(one.manifestId) === id)
      if (views.length > 0) found.push({ id, ...candidate, views })
    }
    const one = onlyOne(ref, found)
    // because nobody can tell "never existed" from "stopped": a name that nobody provides is an empty answer
    if (one === undefined) return { manifestId: formatManifestId(wanted[0]!.manifestId), providers: [] }
    return { manifestId: one.id, providers: one.views.flatMap(toFound) }
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

  /** A member by its name, else whoever is called so, as long as that is one. @param name none: the entry node */
  async #anyNode(name: string | undefined, { signal }: Abortable): Promise<SeenNode> {
    const nodes = await this.nodes({ signal })
    const named = nodes.filter((node) => (name === undefined ? node.entry : node.name === name))
    const [only] = named
    if (only !== undefined && named.length === 1) return only
    const known = nodes.find(({ peerId }) => peerId === name)
    if (known !== undefined) return known
    return resolveNode(this.#session, name ?? '', { nodes, roots: this.#roots, signal })
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

  async #resolve(
    ref: string,
    { signal }: Abortable
  ): Promise<HeldManifest & { silent: readonly SeenNode[] }> {
    const wanted = candidates(this.#session, ref, this.#namespace)
    const manifestIds = wanted.map(({ manifestId }) => manifestId)
    const nodes = await this.nodes({ signal })
    const holdings = await fetchHoldings(this.#session, nodes, { manifestIds, signal })
    const found = byManifest(holdings).map((held) => this.#named(held, wanted))
    const one = onlyOne(ref, found)
    const silent = silentOf(holdings)
    if (one !== undefined) return { ...one, silent }
    if (silent.length === 0) throw notFound(ref)
    // because "not found" would read as "gone", and nobody knows what the silent ones hold
    const names = silent.map(({ name }) => name)
    throw new WireError(
      'NODE_UNREACHABLE',
      `no node that answers holds ${ref}; ${names.join(', ')} did not answer`,
      {
        details: { unanswered: names },
        retryable: true,
        hint: 'See who is connected with "beemesh get nodes".'
      }
    )
  }

  /** Keepers cannot tell kind and name; whoever asked by name knows them. */
  #named(held: HeldManifest, wanted: readonly Candidate[]): HeldManifest & { kind: string; name: string } {
    const asked = wanted.find(({ manifestId }) => formatManifestId(manifestId) === held.id)
    const { manifest } = held
    const kind = manifest.kind || (asked?.kind ?? '')
    const name = manifest.name || (asked?.name ?? '')
    const namespace = manifest.namespace || this.#namespace
    return { ...held, kind, name, manifest: { ...manifest, kind, name, namespace } }
  }
}

import { createHash } from 'node:crypto'
import type { SealedKey, SealedShare } from '../../generated/fbs/index.ts'
import { copyBytes, type Manifest, restartPolicyOf, terminationGraceMsOf } from '../../manifest/index.ts'
import type { RuntimeEngine } from '../../runtime/index.ts'
import { assertMayApply } from '../access.ts'
import { MAX_MANIFESTS_PER_OWNER } from '../constants.ts'
import { announce, type Context } from '../context.ts'
import { planCopy, podOf, removeCopy } from '../copies/deploy.ts'
import type { Past } from '../copies/job.ts'
import { type Report, startRelease } from '../copies/release.ts'
import { rollOut } from '../copies/rollout.ts'
import { tell } from '../copies/transition.ts'
import { WorkloadsError } from '../errors.ts'
import { type OpenedRecord, openContent } from '../open-record.ts'
import { makeRoom, planRoom } from '../resources/preempt.ts'
import type { Release, StoredManifest } from '../types.ts'
import { assertNotEvicted } from '../verbs/evict.ts'
import { addCopies, addSchedule } from './add-copies.ts'
import { admit } from './admit.ts'
import { assertSchedulable } from './assert-schedulable.ts'
import { changeNumber } from './change-number.ts'
import { assertNewer, checkOrdinals, isKnown, runsAlready, sharesCopies, withPast } from './compare.ts'

/** A manifest version as its owner handed it out: what keepers keep, and what a node that runs it needs. */
export interface Bundle {
  /** SignedObject of kind record. */
  readonly record: Uint8Array
  /** Absent with a tombstone. */
  readonly ciphertext?: Uint8Array
  readonly sealedKeys: readonly SealedKey[]
  readonly sealedShares: readonly SealedShare[]
}

/** Copies that this node is to run, whoever brought them: an owner, or a keeper in its name. */
export interface Assignment {
  /** Public key of who signed the record. */
  readonly owner: Uint8Array
  readonly ownerPeerId: string
  readonly record: OpenedRecord
  readonly bundle: Bundle
  /** The content key, sealed to this node; undefined: it was not. */
  readonly sealedKey?: SealedKey
  readonly ordinals: readonly number[]
  readonly signal: AbortSignal
  readonly report: Report
  /** What was done of these copies before, by nodes that are gone. @default nothing */
  readonly past?: Past
  /** A keeper gives it, in the owner's name. @default false: its owner brings it */
  readonly isKept?: boolean
}

/**
 * Checks, writes down and starts copies. In the manifest's lane. @returns the manifest as it is then
 * @throws what refuses it; copies that fail to start are in the result instead
 */
export async function acceptCopies(context: Context, assignment: Assignment): Promise<StoredManifest> {
  const { table } = context
  const { record, ordinals } = assignment
  const existing = table.get(record.manifestId)
  assertNotEvicted(existing, record, context.now())
  if (isKnown(existing, record)) {
    const missing = ordinals.filter(
      (ordinal) => !existing!.workloads.some((copy) => copy.ordinal === ordinal)
    )
    const canGrow =
      existing!.content !== undefined && existing!.next === undefined && existing!.cron === undefined
    if (missing.length > 0 && canGrow)
      return addCopies(context, existing!, { ...assignment, ordinals: missing })
    if (existing!.cron !== undefined && !existing!.tombstone)
      return addSchedule(context, existing!, assignment)
    // what failed to start here before left nothing but its version: whoever brings it again wants it tried again
    const isForgotten = existing!.content === undefined && existing!.workloads.length === 0
    if (existing!.handedOver !== true && !isForgotten) return existing!
  } else assertNewer(existing, record)
  const { release, manifest, engine } = await openAssignment(context, assignment, existing)
  const { manifestId } = record
  const named = { manifestId, owner: assignment.ownerPeerId, tombstone: false, highest: highestOf(record) }
  const { report } = assignment
  const history = withPast(existing, release)
  if (runsAlready(existing, release)) {
    await keep(context, assignment)
    await table.put({ ...named, ...release, workloads: existing!.workloads, history })
    for (const copy of existing!.workloads) report({ workload: copy, unchanged: true })
    announce(context, manifestId)
    return table.get(manifestId)!
  }
  if (sharesCopies(existing, release)) {
    await context.capacity.refresh()
    context.capacity.assertFits(manifest, Math.max(0, release.workloads.length - existing!.workloads.length))
    await keep(context, assignment)
    // those that go are marked with the version, so that a node that dies in the middle does not start them again
    const workloads = existing!.workloads.map((copy) =>
      ordinals.includes(copy.ordinal) ? copy : { ...copy, state: 'stopping' as const }
    )
    await table.put({ ...named, ...release, workloads, history })
    context.reach('number:stored')
    return changeNumber(context, table.get(manifestId)!, assignment)
  }
  await validateOnEngine(context, { engine, stored: { manifestId, ...release }, manifest })
  await context.capacity.refresh()
  const owner = assignment.ownerPeerId
  const victims = planRoom(context, manifest, { manifestId, owner, copies: surplus(existing, release) })
  await keep(context, assignment)
  if (victims.length > 0) {
    await makeRoom(context, victims, { owner, name: manifest.name, priority: manifest.placement.priority })
    context.capacity.assertFits(manifest, surplus(existing, release))
  }
  context.reach('apply:checked')

  await table.noteEngine(engine.name)
  // Written ahead. A manifest that runs here gets the new version beside the old one, until the new one is ready.
  const runs = existing !== undefined && !existing.tombstone && existing.workloads.length > 0
  const replaces = runs && manifest.job === undefined
  // because a Job is begun anew, not taken over copy by copy
  if (runs && !replaces)
    await Promise.all(existing.workloads.map((copy) => removeCopy(context, copy, existing.graceMs)))
  await table.put(
    replaces ? { ...existing, highest: named.highest, next: release } : { ...named, ...release, history }
  )
  context.reach(replaces ? 'rollout:stored' : 'apply:stored')
  for (const workload of release.workloads) {
    tell(context, { manifestId, version: release.version }, workload)
    report({ workload })
  }
  const outcome = replaces
    ? await rollOut(context, manifestId, report)
    : await startRelease(
        context,
        { ...named, ...release },
        { manifest, report, isAllOrNone: assignment.isKept !== true }
      )
  const workloads = [...outcome.running, ...outcome.failed.map(({ workload }) => workload)]
  return { ...named, ...release, workloads }
}

function highestOf({ version, digest }: OpenedRecord): StoredManifest['highest'] {
  return { version, recordDigest: digest }
}

/** Before anybody is told that it is accepted. */
async function keep(context: Context, { bundle, ordinals, signal, isKept }: Assignment): Promise<void> {
  if (isKept !== true) await context.init.keep?.(bundle, { ordinals, signal })
}

/** Everything that may be decided before a copy is started, and what is to be written down. */
async function openAssignment(
  context: Context,
  { owner, ownerPeerId, record, bundle, sealedKey, ordinals: asked, signal, past }: Assignment,
  existing: StoredManifest | undefined
): Promise<{ release: Release; manifest: Manifest; engine: RuntimeEngine }> {
  const { init, table } = context
  assertSchedulable(init, existing)
  if (
    existing === undefined &&
    table.live().filter((held) => held.owner === ownerPeerId).length >= MAX_MANIFESTS_PER_OWNER
  )
    throw new WorkloadsError(
      'QUEUE_FULL',
      `this node holds ${MAX_MANIFESTS_PER_OWNER} manifests of this owner already`
    )
  if (sealedKey === undefined || bundle.ciphertext === undefined)
    throw new WorkloadsError('NOT_SEALED_FOR_THIS_NODE', 'the manifest is not sealed to this node')
  const content = { ciphertext: bundle.ciphertext, sealedKey }
  const node = init.key.publicKey
  const opening = { owner, networkId: init.network.id, node, sealingKey: init.sealingKey }
  const { manifest: opened, digest } = await openContent(record, content, opening)
  const ordinals = checkOrdinals(asked, opened)
  const copies = ordinals.length
  assertMayApply(context, opened, { manifestId: record.manifestId, owner: ownerPeerId, copies })
  const { manifest, defaultLimits } = admit(init, opened, { owner: ownerPeerId, copies })
  const wanted = { required: manifest.engine, preferred: init.preferredEngine }
  const engine = await init.engines.pick(wanted, { signal })
  const release: Release = {
    version: record.version,
    recordDigest: record.digest,
    record: bundle.record,
    notAfterMs: record.notAfter,
    content: { ...content, digest, copyDigest: sha256(copyBytes(manifest)) },
    kind: manifest.kind,
    name: manifest.name,
    namespace: manifest.namespace,
    replicas: manifest.replicas,
    restartPolicy: restartPolicyOf(manifest),
    graceMs: terminationGraceMsOf(manifest),
    cpuMillis: manifest.resources.cpuMillis,
    storageBytes: manifest.resources.storageBytes,
    memoryBytes: manifest.resources.memoryBytes,
    acceptedAtMs: context.now(),
    defaultLimits,
    priority: manifest.placement.priority,
    autoscaled: manifest.autoscale !== undefined || undefined,
    job: manifest.job,
    cron: manifest.cron,
    slotOrdinals: manifest.cron && ordinals,
    slotEngine: manifest.cron && engine.name,
    lastSlotMs: manifest.cron && past?.slotMs,
    openSlots: manifest.cron && past?.openSlots,
    workloads: manifest.cron
      ? [] // copies come with their slots
      : ordinals.map((ordinal) => planCopy(context, { manifest, ...record, ordinal, engine, past }))
  }
  return { release, manifest, engine }
}

/** Copies more than before while both versions are there: one at a time takes over, and more replicas come for good. */
function surplus(existing: StoredManifest | undefined, release: Release): number {
  const before = existing?.workloads.length ?? 0
  return before === 0 ? release.workloads.length : Math.max(1, release.workloads.length - before)
}

async function validateOnEngine(
  context: Context,
  {
    engine,
    stored,
    manifest
  }: { engine: RuntimeEngine; stored: Release & Pick<StoredManifest, 'manifestId'>; manifest: Manifest }
): Promise<void> {
  const copy = stored.workloads[0]
  if (copy === undefined) return
  const { pod } = podOf(context, { stored, manifest, copy, ports: [] })
  await engine.validate(pod, { signal: context.signal })
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

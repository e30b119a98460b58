import { equalBytes } from '../../common/index.ts'
import { type ApplyRequest, encodeProgress } from '../../generated/fbs/index.ts'
import {
  formatManifestId,
  type Manifest,
  restartPolicyOf,
  terminationGraceMsOf
} from '../../manifest/index.ts'
import type { RuntimeEngine } from '../../runtime/index.ts'
import type { OwnerRequest } from '../../wire/index.ts'
import { assertMayApply } from '../access.ts'
import { MAX_MANIFESTS_PER_OWNER, MAX_ORDINALS } from '../constants.ts'
import { type Context, toWire } from '../context.ts'
import { planCopy, podOf, removeCopy } from '../copies/deploy.ts'
import { type Report, startRelease } from '../copies/release.ts'
import { rollOut } from '../copies/rollout.ts'
import { tell } from '../copies/transition.ts'
import { WorkloadsError } from '../errors.ts'
import { type OpenedRecord, openContent, openRecord } from '../open-record.ts'
import type { Release, StoredManifest } from '../types.ts'
import { admit, sameLimits } from './admit.ts'
import { assertNotEvicted } from './evict.ts'
import { sendStatus } from './status.ts'

/**
 * Runs the copies an owner assigned to this node. From "accepted" on it is on disk, and goes on whether or not the owner
 * stays to watch. Frames: progress of every copy, then the status of the manifest.
 */
export async function apply(context: Context, request: OwnerRequest<ApplyRequest>): Promise<void> {
  const { init, now } = context
  const { author, payload } = request
  const record = openRecord(payload.record, {
    author,
    networkId: init.network.id,
    nowMs: now(),
    tombstone: false
  })
  await context.lanes.run(formatManifestId(record.manifestId), () => applyRecord(context, request, record))
}

async function applyRecord(
  context: Context,
  { author, authorPeerId, payload, reply, signal }: OwnerRequest<ApplyRequest>,
  record: OpenedRecord
): Promise<void> {
  const { init, table } = context
  const existing = table.get(record.manifestId)
  assertNotEvicted(existing, record, context.now())
  if (isHonestRetry(existing, record)) return sendStatus(context, reply, [existing!])
  assertNewer(existing, record)
  if (init.scheduling === false)
    throw new WorkloadsError(
      'NOT_SCHEDULABLE',
      'this node takes no workloads: it is a bootstrap node, or runs with --no-scheduling',
      {
        hint: 'Name another node with --to.'
      }
    )
  if (
    existing === undefined &&
    table.live().filter(({ owner }) => owner === authorPeerId).length >= MAX_MANIFESTS_PER_OWNER
  )
    throw new WorkloadsError(
      'QUEUE_FULL',
      `this node holds ${MAX_MANIFESTS_PER_OWNER} manifests of this owner already`
    )

  const sealedKey = payload.sealedKeys.find(({ recipient }) => equalBytes(recipient, init.key.publicKey))
  if (sealedKey === undefined)
    throw new WorkloadsError('NOT_SEALED_FOR_THIS_NODE', 'the manifest is not sealed to this node')
  const content = { ciphertext: payload.ciphertext, sealedKey }
  const opening = {
    owner: author,
    networkId: init.network.id,
    node: init.key.publicKey,
    sealingKey: init.sealingKey
  }
  const { manifest: opened, digest } = await openContent(record, content, opening)
  const ordinals = checkOrdinals(payload.ordinals, opened)
  assertMayApply(context, opened, {
    manifestId: record.manifestId,
    owner: authorPeerId,
    copies: ordinals.length
  })
  const { manifest, defaultLimits } = admit(init, opened, { owner: authorPeerId, copies: ordinals.length })
  const engine = await init.engines.pick(
    { required: manifest.engine, preferred: init.preferredEngine },
    { signal }
  )

  const release: Release = {
    version: record.version,
    recordDigest: record.digest,
    record: payload.record,
    notAfterMs: record.notAfter,
    content: { ...content, digest },
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
    job: manifest.job,
    cron: manifest.cron,
    slotOrdinals: manifest.cron && ordinals,
    slotEngine: manifest.cron && engine.name,
    workloads: manifest.cron
      ? [] // copies come with their slots
      : ordinals.map((ordinal) => planCopy(context, { manifest, ...record, ordinal, engine }))
  }
  const { manifestId } = record
  const highest = { version: record.version, recordDigest: record.digest }
  const named = { manifestId, owner: authorPeerId, tombstone: false, highest }
  const report = reporter(context, reply)
  if (runsAlready(existing, release)) {
    await table.put({ ...named, ...release, workloads: existing!.workloads })
    for (const copy of existing!.workloads) report({ workload: copy, unchanged: true })
    return sendStatus(context, reply, [table.get(manifestId)!])
  }
  await validateOnEngine(context, { engine, stored: { manifestId, ...release }, manifest })
  await context.capacity.refresh()
  context.capacity.assertFits(manifest, surplus(existing, release))
  context.reach('apply:checked')

  await table.noteEngine(engine.name)
  // Written ahead. A manifest that runs here gets the new version beside the old one, until the new one is ready.
  const runs = existing !== undefined && !existing.tombstone && existing.workloads.length > 0
  const replaces = runs && manifest.job === undefined
  // because a Job is begun anew, not taken over copy by copy
  if (runs && !replaces)
    await Promise.all(existing.workloads.map((copy) => removeCopy(context, copy, existing.graceMs)))
  await table.put(replaces ? { ...existing, highest, next: release } : { ...named, ...release })
  context.reach(replaces ? 'rollout:stored' : 'apply:stored')
  for (const workload of release.workloads) {
    tell(context, { manifestId, version: release.version }, workload)
    report({ workload })
  }
  const outcome = replaces
    ? await rollOut(context, manifestId, report)
    : await startRelease(context, { ...named, ...release }, { manifest, report })
  const workloads = [...outcome.running, ...outcome.failed.map(({ workload }) => workload)]
  await sendStatus(context, reply, [{ ...named, ...release, workloads }])
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

function isHonestRetry(existing: StoredManifest | undefined, record: OpenedRecord): boolean {
  const { version, recordDigest } = existing?.highest ?? { version: -1, recordDigest: new Uint8Array() }
  return version === record.version && equalBytes(recordDigest, record.digest)
}

/** @throws WorkloadsError VERSION_STALE, EQUIVOCATION */
export function assertNewer(existing: StoredManifest | undefined, record: OpenedRecord): void {
  const highest = existing?.highest.version ?? -1
  if (record.version > highest) return
  const details = { highest: String(highest), got: String(record.version) }
  if (record.version === highest)
    throw new WorkloadsError('EQUIVOCATION', 'the owner signed two different records with one version', {
      details
    })
  throw new WorkloadsError('VERSION_STALE', 'this node has seen a newer version of this manifest', {
    details,
    hint: 'Apply again; if it stays, the clock of the machine that signs is behind.'
  })
}

function checkOrdinals(ordinals: readonly number[], manifest: Manifest): number[] {
  const unique = [...new Set(ordinals)].sort((a, b) => a - b)
  if (
    unique.length !== ordinals.length ||
    unique.length > MAX_ORDINALS ||
    unique.some((n) => n >= manifest.replicas)
  )
    throw new WorkloadsError('RECORD_INVALID', 'the copies asked for are not copies of this manifest', {
      details: { ordinals: ordinals.slice(0, 70), replicas: manifest.replicas }
    })
  return unique
}

function runsAlready(existing: StoredManifest | undefined, wanted: Release): boolean {
  if (existing?.content === undefined || existing.tombstone || existing.next !== undefined) return false
  const copies = ({ workloads }: Release) =>
    workloads
      .filter(({ slotMs }) => slotMs === undefined) // a CronJob's copies belong to their slots
      .map(({ ordinal, engine }) => `${ordinal} ${engine}`)
      .sort()
      .join()
  // whether or not they run: what has fallen over is started again anyway, what is over (a Job) stays so
  return (
    equalBytes(existing.content.digest, wanted.content!.digest) &&
    copies(existing) === copies(wanted) &&
    sameLimits(existing, wanted)
  )
}

/** Sends progress without making the deployment wait for the asker, who may be slow or gone. */
function reporter(context: Context, reply: OwnerRequest<unknown>['reply']): Report {
  return ({ workload, errorCode, unchanged }) => {
    const body = encodeProgress({ workload: toWire(workload), errorCode, unchanged })
    reply.send(body).catch((error: unknown) => context.log('progress not delivered: %e', error))
  }
}

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
import { MAX_MANIFESTS_PER_OWNER, MAX_ORDINALS } from '../constants.ts'
import { announce, type Context, toWire } from '../context.ts'
import { type Deployed, deployCopy, planCopy, podOf, removeCopy } from '../copies/deploy.ts'
import { WorkloadsError } from '../errors.ts'
import { type OpenedRecord, openContent, openRecord } from '../open-record.ts'
import type { StoredManifest, StoredWorkload } from '../types.ts'
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
  if (isHonestRetry(existing, record)) return sendStatus(context, reply, [existing!])
  assertNewer(existing, record)
  if (init.scheduling === false)
    throw new WorkloadsError('NOT_SCHEDULABLE', 'this node takes no workloads (--no-scheduling)', {
      hint: 'Name another node with --to.'
    })
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
  const { manifest, digest } = await openContent(record, content, opening)
  const ordinals = checkOrdinals(payload.ordinals, manifest)
  const engine = await init.engines.pick(
    { required: manifest.engine, preferred: init.preferredEngine },
    { signal }
  )

  const stored: StoredManifest = {
    manifestId: record.manifestId,
    owner: authorPeerId,
    version: record.version,
    recordDigest: record.digest,
    record: payload.record,
    tombstone: false,
    notAfterMs: record.notAfter,
    content: { ...content, digest },
    kind: manifest.kind,
    name: manifest.name,
    namespace: manifest.namespace,
    replicas: manifest.replicas,
    restartPolicy: restartPolicyOf(manifest),
    graceMs: terminationGraceMsOf(manifest),
    workloads: ordinals.map((ordinal) => planCopy(context, { manifest, ...record, ordinal, engine }))
  }
  const report = reporter(context, reply)
  if (runsAlready(existing, stored)) {
    await table.put({ ...stored, workloads: existing!.workloads })
    for (const copy of existing!.workloads) report({ workload: copy, unchanged: true })
    return sendStatus(context, reply, [table.get(record.manifestId)!])
  }
  await validateOnEngine(context, { engine, stored, manifest })

  // Written ahead: what the engine holds of the old version is in the table until it is gone, then the new one is.
  await replaceOld(context, existing)
  await table.put(stored)
  for (const workload of stored.workloads) report({ workload })
  const results = await Promise.all(
    stored.workloads.map(async (copy) => {
      const onChange = (workload: StoredWorkload) => report({ workload })
      const deployed = await deployCopy(context, { stored, manifest, copy, onChange })
      report(deployed)
      return deployed
    })
  )
  await settle(context, stored, results)
  const outcome = { ...stored, workloads: results.map(({ workload }) => workload) }
  await sendStatus(context, reply, [outcome])
}

/** Keeps the copies that run; when none does, nothing of a first apply is left but its version. */
async function settle(context: Context, stored: StoredManifest, results: readonly Deployed[]): Promise<void> {
  const workloads = results.map(({ workload }) => workload).filter(({ state }) => state !== 'failed')
  if (workloads.length === 0 && stored.workloads.length > 0) await context.table.delete(stored.manifestId)
  else await context.table.put({ ...stored, workloads })
  announce(context, stored.manifestId)
}

async function replaceOld(context: Context, existing: StoredManifest | undefined): Promise<void> {
  if (existing === undefined) return
  context.providers.withdraw(existing.manifestId)
  await Promise.all(existing.workloads.map((copy) => removeCopy(context, copy, existing.graceMs)))
}

async function validateOnEngine(
  context: Context,
  { engine, stored, manifest }: { engine: RuntimeEngine; stored: StoredManifest; manifest: Manifest }
): Promise<void> {
  const copy = stored.workloads[0]
  if (copy === undefined) return
  const { pod } = podOf(context, { stored, manifest, copy, ports: [] })
  await engine.validate(pod, { signal: context.signal })
}

function isHonestRetry(existing: StoredManifest | undefined, record: OpenedRecord): boolean {
  return existing?.version === record.version && equalBytes(existing.recordDigest, record.digest)
}

/** @throws WorkloadsError VERSION_STALE, EQUIVOCATION */
export function assertNewer(existing: StoredManifest | undefined, record: OpenedRecord): void {
  if (existing === undefined || record.version > existing.version) return
  const details = { highest: String(existing.version), got: String(record.version) }
  if (record.version === existing.version)
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

function runsAlready(existing: StoredManifest | undefined, wanted: StoredManifest): boolean {
  if (existing?.content === undefined || existing.tombstone) return false
  const copies = (stored: StoredManifest) =>
    stored.workloads
      .map(({ ordinal, engine }) => `${ordinal} ${engine}`)
      .sort()
      .join()
  return (
    equalBytes(existing.content.digest, wanted.content!.digest) &&
    copies(existing) === copies(wanted) &&
    existing.workloads.every(({ state }) => state === 'running' || state === 'ready')
  )
}

/** Sends progress without making the deployment wait for the asker, who may be slow or gone. */
function reporter(context: Context, reply: OwnerRequest<unknown>['reply']) {
  return ({ workload, errorCode, unchanged }: Deployed & { unchanged?: boolean }): void => {
    const body = encodeProgress({ workload: toWire(workload), errorCode, unchanged })
    reply.send(body).catch((error: unknown) => context.log('progress not delivered: %e', error))
  }
}

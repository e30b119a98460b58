import { equalBytes, safeText } from '../common/index.ts'
import { decode, openObject, signObject } from '../envelope/index.ts'
import { encodeProviderStatement, PROVIDER_STATEMENT, type ProviderSource } from '../generated/fbs/index.ts'
import { peerIdFromPublicKey, type SigningKey } from '../identity/index.ts'
import { CLOCK_SKEW_MS, LEASE_MS } from './constants.ts'
import { ProvidersError } from './errors.ts'
import type { ProvidedManifest, ProviderView } from './types.ts'

/** A statement is never larger, bytes: 64 copies of at most 250 bytes each and the node's labels. */
export const MAX_STATEMENT_BYTES = 48 * 1024
const MAX_CAPABILITY_LENGTH = 32

/** Copies and ports a copy in one statement; `status` tells all of them. Chosen. */
export const MAX_STATED_WORKLOADS = 64
const MAX_PORTS = 4

export interface StatementContext {
  readonly networkId: Uint8Array
  readonly nowMs: number
}

/**
 * This node's signed statement that it runs a manifest, a SignedObject of kind provider.
 * @throws ProvidersError PROVIDER_STATEMENT_INVALID when labels make it too large; EnvelopeError when one of them is
 */
export function signProviderStatement(
  manifestId: Uint8Array,
  provided: ProvidedManifest,
  context: StatementContext & {
    key: SigningKey
    nodeName: string
    bootId: Uint8Array
    labels?: Readonly<Record<string, string>>
    capabilities?: readonly string[]
    /** That it does not run it any more. */
    denial?: boolean
  }
): Uint8Array {
  const body = encodeProviderStatement({
    manifestId,
    version: provided.version,
    bootId: context.bootId,
    nodeName: context.nodeName,
    workloads: provided.workloads
      .slice(0, MAX_STATED_WORKLOADS)
      .map(({ message: _message, ports, ...workload }) => ({
        ...workload,
        ports: ports?.slice(0, MAX_PORTS) // so that 64 copies fit: measured, 36 KiB
      })),
    issuedAt: context.nowMs,
    leaseMs: context.denial ? 0 : LEASE_MS,
    labels: Object.entries(context.labels ?? {}).map(([name, value]) => ({ key: name, value })),
    capabilities: [...(context.capabilities ?? [])],
    highestVersion: provided.highest ?? 0
  })
  const statement = signObject({ kind: 'provider', body, key: context.key, networkId: context.networkId })
  if (statement.byteLength > MAX_STATEMENT_BYTES)
    throw new ProvidersError(
      'PROVIDER_STATEMENT_INVALID',
      `a statement of ${statement.byteLength} bytes; others drop what is larger than ${MAX_STATEMENT_BYTES}`
    )
  return statement
}

/**
 * Checks a statement: signed by the provider, for this manifest and network, its lease not over.
 * @throws EnvelopeError; ProvidersError PROVIDER_STATEMENT_INVALID
 */
export function openProviderStatement(
  statement: Uint8Array,
  {
    manifestId,
    networkId,
    nowMs,
    source
  }: StatementContext & { manifestId?: Uint8Array; source: ProviderSource }
): ProviderView {
  const { author, body } = openObject(statement, { kind: 'provider', networkId })
  const said = decode(PROVIDER_STATEMENT, body)
  const peerId = peerIdFromPublicKey(author)
  const leaseUntilMs = said.issuedAt + said.leaseMs
  if (manifestId !== undefined && !equalBytes(said.manifestId, manifestId))
    throw new ProvidersError('PROVIDER_STATEMENT_INVALID', `${peerId} answered for another manifest`)
  if (
    said.leaseMs > LEASE_MS ||
    said.issuedAt > nowMs + CLOCK_SKEW_MS ||
    (source !== 'stale' && leaseUntilMs + CLOCK_SKEW_MS < nowMs) // a stale one says itself that its time is over
  )
    throw new ProvidersError(
      'PROVIDER_STATEMENT_INVALID',
      `the lease of ${peerId} is over or not from this time`
    )
  return {
    peerId,
    nodeName: safeText(said.nodeName, 63),
    manifestId: said.manifestId,
    version: said.version,
    highest: Math.max(said.version, said.highestVersion),
    bootId: said.bootId,
    labels: Object.fromEntries(
      said.labels.map(({ key, value }) => [safeText(key, 320), safeText(value, 256)])
    ),
    capabilities: said.capabilities.map((one) => safeText(one, MAX_CAPABILITY_LENGTH)),
    workloads: said.workloads.map((workload) => ({
      ...workload,
      workloadId: safeText(workload.workloadId, 63),
      engine: safeText(workload.engine, 32),
      ports: workload.ports.map(({ hostIp, ...port }) => ({
        ...port,
        hostIp: hostIp === undefined ? undefined : safeText(hostIp, 64)
      })),
      message: safeText(workload.message ?? '') || undefined
    })),
    source,
    issuedAtMs: said.issuedAt,
    leaseUntilMs,
    statement
  }
}

/** Whether a statement says that the manifest is not run any more. */
export function isDenial({ issuedAtMs, leaseUntilMs }: ProviderView): boolean {
  return leaseUntilMs <= issuedAtMs
}

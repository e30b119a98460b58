import {
  checkPolicy,
  describeViolation,
  limitsOf,
  type Manifest,
  type PolicyLimits,
  type PolicyViolation,
  withDefaultLimits
} from '../../manifest/index.ts'
import { WorkloadsError } from '../errors.ts'
import type { Release, WorkloadsInit } from '../types.ts'

/** Violations in the message, which people read; and in the details, which programs do. Chosen. */
const MAX_IN_MESSAGE = 5
const MAX_IN_DETAILS = 50
/** Longest details, bytes of JSON: larger ones do not fit an ErrorReply and would be left out whole. Source: fbs/error.fbs, with room. */
const MAX_DETAILS_BYTES = 7_500

export interface Admitted {
  /** With the limits that the policy gives to containers that state none. */
  readonly manifest: Manifest
  /**
   * To be kept with the release, so that every restart is as the first start was. Empty rather than left out where there are none,
   * because a release that takes the place of another on disk must not inherit its limits.
   */
  readonly defaultLimits: PolicyLimits
}

/**
 * Holds a decrypted manifest against the sandbox policy for its owner, before any engine hears of it.
 * @param owner peer ID
 * @param copies how many of it this node is to run
 * @throws WorkloadsError POLICY_REFUSED with all that is wrong at once
 */
export function admit(
  { policyFor }: Pick<WorkloadsInit, 'policyFor'>,
  manifest: Manifest,
  { owner, copies }: { readonly owner: string; readonly copies: number }
): Admitted {
  const policy = policyFor?.(owner)
  if (policy === undefined) return { manifest, defaultLimits: {} }
  const violations = checkPolicy(manifest, policy, { copies })
  if (violations.length > 0) throw refusal(violations, policy)
  const defaultLimits = limitsOf(policy)
  return { manifest: withDefaultLimits(manifest, defaultLimits), defaultLimits }
}

/** Whether two releases run under the same limits of the policy; if not, copies of the older one are to be replaced. */
export function sameLimits(a: Pick<Release, 'defaultLimits'>, b: Pick<Release, 'defaultLimits'>): boolean {
  const text = ({ defaultLimits = {} }: Pick<Release, 'defaultLimits'>) =>
    JSON.stringify(Object.entries(defaultLimits).sort())
  return text(a) === text(b)
}

function refusal(
  violations: readonly PolicyViolation[],
  { preset, source }: { readonly preset: string; readonly source?: string }
): WorkloadsError {
  const count = violations.length === 1 ? 'one thing' : `${violations.length} things`
  const lines = violations.slice(0, MAX_IN_MESSAGE).map((one) => `  ${describeViolation(one)}`)
  if (violations.length > MAX_IN_MESSAGE) lines.push(`  and ${violations.length - MAX_IN_MESSAGE} more`)
  const name = `the ${preset} sandbox policy of this node`
  return new WorkloadsError('POLICY_REFUSED', [`${name} forbids ${count} here:`, ...lines].join('\n'), {
    details: { preset, total: violations.length, violations: fitting(violations) },
    hint: `Change these; beemesh validate --policy ${preset} looks for them. The node's own setting is ${source ?? 'policy'} in its configuration (docs/POLICY.md).`
  })
}

function fitting(violations: readonly PolicyViolation[]): PolicyViolation[] {
  const shown = violations.slice(0, MAX_IN_DETAILS)
  while (Buffer.byteLength(JSON.stringify(shown)) > MAX_DETAILS_BYTES) shown.pop()
  return shown
}

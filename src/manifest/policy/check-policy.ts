import type { Manifest } from '../types.ts'
import { podPlacesOf } from './pod-places.ts'
import { checkAmounts } from './rules/amounts.ts'
import { checkExposure } from './rules/exposure.ts'
import { checkHost } from './rules/host.ts'
import { checkImages } from './rules/images.ts'
import { checkSecurity } from './rules/security.ts'
import type { PolicyViolation, SandboxPolicy } from './types.ts'

/** One line for a person. */
export function describeViolation({ path, message, rule }: PolicyViolation): string {
  return `${path} ${message} [${rule}]`
}

/**
 * Everything in a manifest that a policy does not allow, at once: of every container and init container, of every kind. Empty when it may run.
 * @param manifest as its owner wrote it, before {@link withDefaultLimits}
 * @param options.copies how many this node is to run; all of them by default
 */
export function checkPolicy(
  manifest: Manifest,
  policy: SandboxPolicy,
  { copies = manifest.replicas }: { readonly copies?: number } = {}
): PolicyViolation[] {
  const pod = podPlacesOf(manifest)
  return [
    ...checkHost(pod),
    ...checkSecurity(pod, policy),
    ...checkImages(pod, policy),
    ...checkExposure(manifest, pod, policy),
    ...checkAmounts(manifest, policy, copies)
  ]
}

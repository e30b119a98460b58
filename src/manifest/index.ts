/**
 * Manifests: what a person writes, checked, in one canonical form, under one ID, and turned into the pod of one copy; and
 * what the node must do for it that no engine does: probes, rollouts, completions of Jobs, times of CronJobs. Also what a
 * node's sandbox policy says of it.
 *
 * It stands apart because the owner's side and the node's side must agree on every byte and every rule, and because
 * nothing here needs a network, a disk or a clock. The rules are data: schemas/manifest holds for each field its
 * type, its limits and whether it is honoured, and docs/MANIFESTS.md is printed from it.
 *
 * It never knows an engine, never chooses a machine (it says which may be chosen), never drops a field silently, and never puts the content of a
 * Secret or of an environment variable into an error.
 *
 * @example
 * ```ts
 * const [manifest] = parseManifests(await readFile('web.yaml', 'utf8'), { file: 'web.yaml' })
 * const salt = manifestSalt(ownerSecret, manifest)
 * const id = manifestId({ networkId, owner, salt, ...manifest })
 * const bytes = canonicalBytes(manifest, salt) // to be encrypted
 *
 * // on the node, after decryption
 * const received = parseCanonical(bytes)
 * const workloadId = workloadName({ name: received.manifest.name, manifestId: id, version: 1n, ordinal: 0, node })
 * const { pod, files } = toPod(received.manifest, { workloadId, ordinal: 0, labels: {}, ports: [] })
 * ```
 */
export { canonicalAutoscale, MAX_AUTOSCALE_BYTES, parseAutoscale } from './autoscale/parse-autoscale.ts'
export type { Autoscale, AutoscaleMetric, ScalingPolicy, ScalingRules } from './autoscale/types.ts'
export { canonicalBytes, parseCanonical } from './canonical.ts'
export * from './constants.ts'
export { copyBytes } from './copy-bytes.ts'
export { MANIFEST_ERROR_CODES, ManifestError, type ManifestErrorCode, type Violation } from './errors.ts'
export {
  formatManifestId,
  MANIFEST_ID_BYTES,
  type ManifestIdInput,
  type ManifestName,
  manifestId,
  manifestSalt,
  parseManifestId
} from './manifest-id.ts'
export { parseCpuMillis, parseMemoryBytes } from './objects/quantity.ts'
export { type ParseManifestsOptions, parseManifests } from './parse-manifests.ts'
export { canonicalRules } from './placement/canonical-rules.ts'
export { parseWhole } from './placement/expressions.ts'
export { nodeLabelsOf, parseTaint, taintLabel, taintsOf } from './placement/node-labels.ts'
export { parseRules } from './placement/parse-rules.ts'
export { placementOf } from './placement/placement-of.ts'
export type {
  LabelledNode,
  NodeExpression,
  NodeField,
  NodeTerm,
  PlacementRules,
  Strategy,
  Taint,
  TaintEffect,
  Toleration
} from './placement/types.ts'
export { pidsLimitOf, recoveryOf } from './plans/annotations.ts'
export { claimVolumes } from './plans/claims.ts'
export { lastRun, nextRun } from './plans/cron.ts'
export { completionsOf } from './plans/job.ts'
export { isReplacedInPlace, paceOf } from './plans/rollout.ts'
export type { CronPlan, JobPlan, Recovery, Rollout } from './plans/types.ts'
export { checkPolicy, describeViolation } from './policy/check-policy.ts'
export { limitsOf, withDefaultLimits } from './policy/default-limits.ts'
export { imageNamesOf } from './policy/image-names.ts'
export { POLICY_PRESETS, PRESETS, resolvePolicy } from './policy/presets.ts'
export type {
  PolicyInput,
  PolicyLimits,
  PolicyPreset,
  PolicyRule,
  PolicyViolation,
  SandboxPolicy,
  SandboxRules
} from './policy/types.ts'
export { type ContainerProbe, type ProbeHandler, type ProbeKind, probesOf } from './transform/probes.ts'
export { restartPolicyOf, terminationGraceMsOf, toPod } from './transform/to-pod.ts'
export type {
  FileVolume,
  KubeObject,
  Manifest,
  ManifestClaim,
  ManifestPort,
  ManifestResources,
  ManifestService,
  PodContainer,
  PodDocument,
  PortAssignment,
  PortProtocol,
  RestartPolicy,
  ToPodOptions,
  WorkloadKind
} from './types.ts'
export { type WorkloadNameInput, workloadName } from './workload-name.ts'

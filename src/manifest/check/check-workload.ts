import { asList, asRecord, asText, type JsonRecord, joinPath, own } from '../objects/json.ts'
import { jobSpecOf, podSpecPath } from '../objects/kube.ts'
import { checkPlacement } from '../placement/check-placement.ts'
import { isTimeZone, scheduleProblem } from '../plans/cron.ts'
import { isZeroPace } from '../plans/rollout.ts'
import { checkMetadata } from './check-annotations.ts'
import { checkClaimSpec } from './check-claims.ts'
import { checkPod } from './check-pod.ts'
import type { Report } from './report.ts'

/** What a JSON Schema cannot say of one workload document. Takes unchecked data, so that one run reports everything. */
export function checkWorkload(kind: string, value: JsonRecord, report: Report): void {
  const spec = asRecord(value.spec)
  const metadata = asRecord(value.metadata)
  const annotations = asRecord(metadata.annotations)
  if (kind === 'Pod') {
    checkPod(spec, 'spec', { report })
    checkPlacement(spec, 'spec', { labels: asRecord(metadata.labels), annotations }, report)
  } else checkTemplated(kind, value, spec, report)
}

function checkTemplated(kind: string, value: JsonRecord, spec: JsonRecord, report: Report): void {
  const job = jobSpecOf(value)
  const template = asRecord((job ?? spec).template)
  const path = podSpecPath(kind)
  const metadataPath = path.replace(/spec$/, 'metadata')
  const metadata = asRecord(template.metadata)
  checkMetadata(metadata, metadataPath, { isWorkload: false }, report)
  const claimTemplates =
    kind === 'StatefulSet' ? checkClaimTemplates(spec, asRecord(value.metadata), report) : undefined
  checkPod(asRecord(template.spec), path, { report, claimTemplates })
  const annotations = asRecord(asRecord(value.metadata).annotations)
  checkPlacement(asRecord(template.spec), path, { labels: asRecord(metadata.labels), annotations }, report)
  if (job === undefined) checkSelector(spec, metadata, metadataPath, report)
  checkRestarts(asRecord(template.spec), path, { kind, isJob: job !== undefined }, report)
  if (kind === 'CronJob') checkCron(spec, report)
  checkRollout(kind, spec, report)
}

function checkSelector(spec: JsonRecord, metadata: JsonRecord, metadataPath: string, report: Report): void {
  const labels = asRecord(metadata.labels)
  for (const [key, value] of Object.entries(asRecord(asRecord(spec.selector).matchLabels)))
    if (own(labels, key) !== value)
      report(
        joinPath('spec.selector.matchLabels', key),
        'selector',
        `must be in ${metadataPath}.labels too`,
        { value }
      )
}

function checkRestarts(
  pod: JsonRecord,
  path: string,
  { kind, isJob }: { readonly kind: string; readonly isJob: boolean },
  report: Report
): void {
  const { restartPolicy } = pod
  const at = `${path}.restartPolicy`
  if (isJob && restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    report(at, 'choice', `must be "OnFailure" or "Never" in a ${kind}`, {
      ...(restartPolicy === undefined ? {} : { value: restartPolicy })
    })
  if (!isJob && restartPolicy !== undefined && restartPolicy !== 'Always')
    report(at, 'choice', `must be "Always" in a ${kind}`, { value: restartPolicy })
}

function checkCron({ schedule, timeZone }: JsonRecord, report: Report): void {
  const problem = typeof schedule === 'string' ? scheduleProblem(schedule) : undefined
  if (problem !== undefined) report('spec.schedule', 'schedule', problem, { value: schedule })
  if (typeof timeZone === 'string' && !isTimeZone(timeZone))
    report('spec.timeZone', 'time-zone', 'must be a name of the IANA database, such as Europe/Berlin', {
      value: timeZone
    })
}

function checkRollout(kind: string, spec: JsonRecord, report: Report): void {
  const field = kind === 'Deployment' ? 'strategy' : 'updateStrategy'
  const update = asRecord(spec[field])
  const at = `spec.${field}.rollingUpdate`
  const { maxSurge, maxUnavailable } = asRecord(update.rollingUpdate)
  if (kind === 'Deployment' && update.type === 'Recreate' && 'rollingUpdate' in update)
    report(at, 'choice', 'has no meaning with type Recreate; leave it out')
  if (kind === 'Deployment' && isZeroPace(maxSurge) && isZeroPace(maxUnavailable))
    report(`${at}.maxUnavailable`, 'minimum', 'must be above 0 when maxSurge is 0')
  if (kind === 'StatefulSet' && isZeroPace(maxUnavailable))
    report(`${at}.maxUnavailable`, 'minimum', 'must be above 0', { value: maxUnavailable })
  if (kind === 'DaemonSet') {
    const surges = maxSurge !== undefined && !isZeroPace(maxSurge)
    const stops = maxUnavailable === undefined ? !surges : !isZeroPace(maxUnavailable)
    if (surges === stops)
      report(
        `${at}.maxUnavailable`,
        'choice',
        `must be ${surges ? '0 when maxSurge is above 0' : 'above 0 when maxSurge is 0'}`
      )
  }
  const { progressDeadlineSeconds: deadline = 600, minReadySeconds: ready = 0 } = spec
  if (kind === 'Deployment' && typeof deadline === 'number' && typeof ready === 'number' && deadline <= ready)
    report('spec.progressDeadlineSeconds', 'minimum', 'must be more than minReadySeconds', {
      value: deadline
    })
}

/** @returns the names that volumeMounts may use */
function checkClaimTemplates(spec: JsonRecord, metadata: JsonRecord, report: Report): ReadonlySet<string> {
  const names = new Set<string>()
  for (const [index, raw] of asList(spec.volumeClaimTemplates).entries()) {
    const template = asRecord(raw)
    const at = `spec.volumeClaimTemplates[${index}]`
    const name = asText(asRecord(template.metadata).name)
    if (name !== undefined && names.has(name))
      report(`${at}.metadata.name`, 'unique', 'is the name of two templates', { value: name })
    if (name !== undefined) names.add(name)
    checkMetadata(asRecord(template.metadata), `${at}.metadata`, { isWorkload: false }, report)
    checkClaimSpec(asRecord(template.spec), `${at}.spec`, report)
  }
  const replicas = typeof spec.replicas === 'number' ? spec.replicas : 1
  const longest = `${asText(metadata.name) ?? ''}-${Math.max(0, replicas - 1)}`
  // because a copy's name is its hostname
  if (longest.length > 63)
    report('metadata.name', 'maxLength', 'must leave room for the ordinal: together at most 63 characters', {
      value: metadata.name
    })
  return names
}

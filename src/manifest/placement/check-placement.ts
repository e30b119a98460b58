import type { Report } from '../check/report.ts'
import {
  MAX_RULES_BYTES,
  NODES_ANNOTATION,
  PRIORITY_ANNOTATION,
  PRIORITY_CLASSES,
  STRATEGY_ANNOTATION
} from '../constants.ts'
import { asList, asRecord, asText, type JsonRecord, joinPath, own } from '../objects/json.ts'
import type { Manifest } from '../types.ts'
import { canonicalRules } from './canonical-rules.ts'
import { expressionProblem, tolerationProblem } from './expressions.ts'
import { parsePriority } from './placement-of.ts'

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'
const UNSUPPORTED = { code: 'MANIFEST_UNSUPPORTED_FIELD' } as const

interface Owner {
  /** Labels of the workload's own pods. */
  readonly labels: JsonRecord
  readonly annotations: JsonRecord
}

/** What a JSON Schema cannot say of where copies run. Takes unchecked data. @param path of the pod spec */
export function checkPlacement(
  spec: JsonRecord,
  path: string,
  { labels, annotations }: Owner,
  report: Report
): void {
  const { nodeAffinity, podAntiAffinity } = asRecord(spec.affinity)
  const at = `${path}.affinity`
  const terms = [
    ...asList(asRecord(asRecord(nodeAffinity)[REQUIRED]).nodeSelectorTerms).map(
      (term, index) => [term, `${at}.nodeAffinity.${REQUIRED}.nodeSelectorTerms[${index}]`] as const
    ),
    ...asList(asRecord(nodeAffinity)[PREFERRED]).map(
      (one, index) =>
        [asRecord(one).preference, `${at}.nodeAffinity.${PREFERRED}[${index}].preference`] as const
    )
  ]
  for (const [term, termPath] of terms) checkExpressions(asRecord(term), termPath, report)
  const selectors = [
    ...asList(asRecord(podAntiAffinity)[REQUIRED]).map(
      (one, index) => [one, `${at}.podAntiAffinity.${REQUIRED}[${index}]`] as const
    ),
    ...asList(asRecord(podAntiAffinity)[PREFERRED]).map(
      (one, index) =>
        [
          asRecord(one).podAffinityTerm,
          `${at}.podAntiAffinity.${PREFERRED}[${index}].podAffinityTerm`
        ] as const
    ),
    ...asList(spec.topologySpreadConstraints).map(
      (one, index) => [one, `${path}.topologySpreadConstraints[${index}]`] as const
    )
  ]
  for (const [one, selectorPath] of selectors)
    checkOwnCopies(asRecord(one).labelSelector, `${selectorPath}.labelSelector`, labels, report)
  for (const [index, one] of asList(spec.tolerations).entries()) {
    const problem = tolerationProblem(asRecord(one))
    if (problem !== undefined)
      report(`${path}.tolerations[${index}].${problem.field}`, 'toleration', problem.message)
  }
  checkPriority(spec, path, annotations, report)
  if (
    asText(own(annotations, STRATEGY_ANNOTATION)) === 'manual' &&
    own(annotations, NODES_ANNOTATION) === undefined
  )
    report(
      joinPath('metadata.annotations', STRATEGY_ANNOTATION),
      'required',
      `needs the nodes, in annotation ${NODES_ANNOTATION}`
    )
}

function checkExpressions(selector: JsonRecord, path: string, report: Report): void {
  for (const [index, raw] of asList(selector.matchExpressions).entries()) {
    const { operator, values } = asRecord(raw)
    const problem = expressionProblem(operator, asList(values))
    if (problem !== undefined)
      report(`${path}.matchExpressions[${index}].${problem.field}`, 'expression', problem.message)
  }
}

/** Because other manifests are sealed, a selector of pods can only mean the copies of this workload. */
function checkOwnCopies(raw: unknown, path: string, labels: JsonRecord, report: Report): void {
  const selector = asRecord(raw)
  checkExpressions(selector, path, report)
  const wanted = Object.entries(asRecord(selector.matchLabels))
  const expressions = asList(selector.matchExpressions).map(asRecord)
  const why =
    'other manifests are sealed, so it can only be about the copies of this workload: write labels of its own pods'
  if (wanted.length + expressions.length === 0) {
    report(path, 'own-copies', `is refused when it is missing or empty: ${why}`, UNSUPPORTED)
    return
  }
  for (const [key, value] of wanted)
    if (own(labels, key) !== value)
      report(joinPath(`${path}.matchLabels`, key), 'own-copies', `is refused: ${why}`, {
        ...UNSUPPORTED,
        value
      })
  for (const [index, expression] of expressions.entries())
    if (!selectsOwn(expression, labels))
      report(`${path}.matchExpressions[${index}]`, 'own-copies', `is refused: ${why}`, UNSUPPORTED)
}

function selectsOwn({ key, operator, values }: JsonRecord, labels: JsonRecord): boolean {
  const value = own(labels, asText(key) ?? '')
  if (operator === 'In') return value !== undefined && asList(values).includes(value)
  if (operator === 'NotIn') return value === undefined || !asList(values).includes(value)
  return operator === 'Exists' ? value !== undefined : value === undefined
}

function checkPriority(spec: JsonRecord, path: string, annotations: JsonRecord, report: Report): void {
  const { priority, priorityClassName } = spec
  const className = asText(priorityClassName)
  const text = asText(own(annotations, PRIORITY_ANNOTATION))
  if (className !== undefined && text !== undefined)
    report(
      `${path}.priorityClassName`,
      'one-source',
      `stands beside annotation ${PRIORITY_ANNOTATION}; keep one of them`
    )
  const given = own(PRIORITY_CLASSES, className ?? '') ?? (text === undefined ? 0 : parsePriority(text)) ?? 0
  if (typeof priority === 'number' && priority !== given)
    report(
      `${path}.priority`,
      'refused',
      `is refused: a Kubernetes cluster sets it; write the number in annotation ${PRIORITY_ANNOTATION}`,
      { ...UNSUPPORTED, value: priority }
    )
}

/** Reports rules that would not fit into a record. */
export function checkRulesSize({ placement }: Manifest, report: Report): void {
  const bytes = Buffer.byteLength(canonicalRules(placement))
  if (bytes > MAX_RULES_BYTES)
    report(
      'spec',
      'rules-size',
      `says where copies run in ${bytes} bytes; at most ${MAX_RULES_BYTES} are allowed, so shorten nodeSelector, affinity or tolerations`,
      { code: 'MANIFEST_TOO_LARGE' }
    )
}

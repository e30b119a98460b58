import {
  ENGINE_ANNOTATION,
  ENGINE_PATTERN,
  MAX_NAMED_NODES,
  MAX_PIDS_LIMIT,
  MAX_PRIORITY,
  NODES_ANNOTATION,
  ON_NODE_LOSS_ANNOTATION,
  ON_PARTITION_ANNOTATION,
  PIDS_LIMIT_ANNOTATION,
  PRIORITY_ANNOTATION,
  RESTARTED_AT_ANNOTATION,
  STRATEGIES,
  STRATEGY_ANNOTATION
} from '../constants.ts'
import { asRecord, type JsonRecord, joinPath } from '../objects/json.ts'
import { parsePriority, splitNodes } from '../placement/placement-of.ts'
import { NODE_PATTERN } from '../placement/rules-schema.ts'
import { parsePidsLimit } from '../plans/annotations.ts'
import type { Report } from './report.ts'

const RESERVED_LABELS = ['io.podman', 'io.containers', 'com.docker']
// because these older annotations change the sandbox in Kubernetes and would have no effect here
const SANDBOX_ANNOTATIONS = [
  'container.apparmor.security.beta.kubernetes.io',
  'seccomp.security.alpha.kubernetes.io'
]

/** What each annotation of ours must be, for its error; and whether a value is that. */
const OURS: Readonly<Record<string, readonly [shape: string, isValid: (value: string) => boolean]>> = {
  [ENGINE_ANNOTATION]: ['must name an engine, such as podman', (value) => ENGINE_PATTERN.test(value)],
  [PIDS_LIMIT_ANNOTATION]: [
    `must be a number from 1 to ${MAX_PIDS_LIMIT}, in quotes`,
    (value) => parsePidsLimit(value) !== undefined
  ],
  [STRATEGY_ANNOTATION]: [
    `must be one of ${STRATEGIES.join(', ')}`,
    (value) => (STRATEGIES as readonly string[]).includes(value)
  ],
  [NODES_ANNOTATION]: [
    `must be 1 to ${MAX_NAMED_NODES} names or peer IDs of nodes, separated by commas, each once`,
    isNodeList
  ],
  [PRIORITY_ANNOTATION]: [
    `must be a whole number from -${MAX_PRIORITY} to ${MAX_PRIORITY}, in quotes`,
    (value) => Math.abs(parsePriority(value) ?? Number.POSITIVE_INFINITY) <= MAX_PRIORITY
  ],
  [ON_PARTITION_ANNOTATION]: [
    'must be keep, stop or fence',
    (value) => ['keep', 'stop', 'fence'].includes(value)
  ],
  [ON_NODE_LOSS_ANNOTATION]: ['must be keep or recreate', (value) => ['keep', 'recreate'].includes(value)],
  [RESTARTED_AT_ANNOTATION]: [
    'must be a time as 2026-11-20T12:00:00.000Z',
    (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(value)
  ]
}

function isNodeList(text: string): boolean {
  const nodes = splitNodes(text)
  return (
    nodes.length <= MAX_NAMED_NODES &&
    new Set(nodes).size === nodes.length &&
    nodes.every((node) => NODE_PATTERN.test(node))
  )
}

/**
 * Labels and annotations that belong to the node or would mislead.
 * @param isWorkload whether this is the metadata of the workload itself, where our own annotations stand
 */
export function checkMetadata(
  metadata: JsonRecord,
  path: string,
  { isWorkload }: { readonly isWorkload: boolean },
  report: Report
): void {
  checkLabels(metadata, path, report)
  const code = 'MANIFEST_UNSUPPORTED_FIELD' as const
  for (const [key, value] of Object.entries(asRecord(metadata.annotations))) {
    const at = joinPath(`${path}.annotations`, key)
    const known = isWorkload && Object.hasOwn(OURS, key) ? OURS[key] : undefined
    if (known !== undefined) {
      const [shape, isValid] = known
      // because String() of an object calls a toString that somebody else wrote; its type is reported already
      if (typeof value !== 'object' && !isValid(String(value))) report(at, 'pattern', shape)
    } else if (isOurs(key)) {
      const names = Object.keys(OURS).join(', ')
      report(at, 'reserved', `is refused: there are only ${names}, on the workload itself`, { code })
    }
    if (SANDBOX_ANNOTATIONS.some((prefix) => key.startsWith(prefix)))
      report(at, 'refused', 'is refused: the engine chooses the profile', { code })
  }
}

/** Whether a label or annotation is in the domain, or one below it, that beemesh keeps for itself. */
function isOurs(key: string): boolean {
  const [domain = ''] = key.split('/')
  return key.includes('/') && (domain === 'beemesh.io' || domain.endsWith('.beemesh.io'))
}

function checkLabels(metadata: JsonRecord, path: string, report: Report): void {
  for (const key of Object.keys(asRecord(metadata.labels)))
    if (isOurs(key) || RESERVED_LABELS.some((prefix) => key.startsWith(prefix)))
      report(
        joinPath(`${path}.labels`, key),
        'reserved',
        'is refused: this prefix belongs to the node and its engine',
        { code: 'MANIFEST_UNSUPPORTED_FIELD' }
      )
}

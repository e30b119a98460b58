import {
  ENGINE_LABEL_PREFIX,
  HOSTNAME_LABEL,
  REGION_LABEL,
  TAINT_LABEL_PREFIX,
  ZONE_LABEL
} from '../constants.ts'
import { own } from '../objects/json.ts'
import type { LabelledNode, Taint, TaintEffect } from './types.ts'

/** Every node runs Linux. */
const OS_LABELS = { 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/os': 'linux' }
/** Short names that people write with `--label`, and what manifests ask for; either stands for both. */
const ALIASES = [
  ['region', REGION_LABEL],
  ['zone', ZONE_LABEL]
] as const

const EFFECTS: readonly string[] = [
  'NoSchedule',
  'PreferNoSchedule',
  'NoExecute'
] satisfies readonly TaintEffect[]
const LABEL_KEY =
  /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

/**
 * The labels that a manifest can ask for: the node's own but for its taints; its name, operating system and engines, which
 * no label of its own can change; and `region` and `zone` under Kubernetes' names, and the other way round. Applied to its
 * own result it changes nothing.
 */
export function nodeLabelsOf({ name, labels, engines }: LabelledNode): Readonly<Record<string, string>> {
  const written = Object.entries(labels).filter(
    ([key]) => !key.startsWith(TAINT_LABEL_PREFIX) && !key.startsWith(ENGINE_LABEL_PREFIX)
  )
  const aliases = ALIASES.flatMap(([short, long]) => {
    const value = own(labels, long) ?? own(labels, short)
    if (value === undefined) return []
    return [
      [short, own(labels, short) ?? value],
      [long, value]
    ]
  })
  return Object.fromEntries([
    ...written,
    ...aliases,
    ...Object.entries(OS_LABELS),
    ...engines.map((engine) => [`${ENGINE_LABEL_PREFIX}${engine}`, 'true']),
    [HOSTNAME_LABEL, name]
  ])
}

/** The taints among the labels of a node. One that is written wrongly keeps everything away: {@link parseTaint} says what is right. */
export function taintsOf(labels: Readonly<Record<string, string>>): Taint[] {
  return Object.entries(labels)
    .filter(([key]) => key.startsWith(TAINT_LABEL_PREFIX))
    .map(([label, text]) => {
      const key = label.slice(TAINT_LABEL_PREFIX.length)
      return parseTaint(`${key}=${text}`) ?? { key, value: text, effect: 'NoSchedule' }
    })
}

/** `key=value:Effect` or `key:Effect`; undefined for anything else. */
export function parseTaint(text: string): Taint | undefined {
  const [, key = '', value = '', effect = ''] = /^([^=:]*)(?:=([^:]*))?:(\w*)$/.exec(text) ?? []
  if (!LABEL_KEY.test(key) || !LABEL_VALUE.test(value) || !EFFECTS.includes(effect)) return undefined
  return { key, value, effect: effect as TaintEffect }
}

/** The label under which a taint travels, and its value. */
export function taintLabel({ key, value, effect }: Taint): [label: string, value: string] {
  return [`${TAINT_LABEL_PREFIX}${key}`, `${value}:${effect}`]
}

import { parseTaint, TAINT_LABEL_PREFIX, taintLabel } from '../manifest/index.ts'
import { ConfigError } from './errors.ts'
import type { Config } from './types.ts'

/** One label, bytes. Source: fbs/common.fbs. */
const MAX_LABEL_BYTES = { key: 320, value: 256 }
/** All labels, bytes. Chosen: a node says of itself at most 8 KiB, of which keys and addresses take up to half. */
const MAX_LABELS_BYTES = 2_048

/**
 * What a node tells others as its labels: its own, and its taints.
 * @throws ConfigError CONFIG_INVALID for a taint that is none, or a key that stands twice
 */
export function statedLabels({ labels, taints }: Pick<Config, 'labels' | 'taints'>): Config['labels'] {
  const stated: Record<string, string> = { ...labels }
  const keys = new Set<string>()
  for (const text of taints) {
    const taint = parseTaint(text)
    if (taint === undefined || keys.has(taint.key))
      throw new ConfigError(
        'CONFIG_INVALID',
        `taints: ${text.slice(0, 100)} ${taint === undefined ? 'is no taint' : 'has the key of another taint'}`,
        { hint: 'Write key=value:Effect or key:Effect; effects are NoSchedule, PreferNoSchedule, NoExecute.' }
      )
    keys.add(taint.key)
    const [label, value] = taintLabel(taint)
    stated[label] = value
  }
  return stated
}

/** Because others drop what is larger than a statement may be, and a node that nobody believes to be there says nothing of it. */
export function assertLabels({ labels, taints }: Pick<Config, 'labels' | 'taints'>): void {
  const taint = Object.keys(labels).find((key) => key.startsWith(TAINT_LABEL_PREFIX))
  if (taint !== undefined)
    throw new ConfigError('CONFIG_INVALID', `labels: ${taint.slice(0, 63)} is a taint`, {
      hint: 'Write it in taints, or with --taint key=value:Effect.'
    })
  let sum = 0
  for (const [key, value] of Object.entries(statedLabels({ labels, taints }))) {
    const bytes = { key: Buffer.byteLength(key), value: Buffer.byteLength(value) }
    if (bytes.key === 0 || bytes.key > MAX_LABEL_BYTES.key || bytes.value > MAX_LABEL_BYTES.value)
      throw new ConfigError(
        'CONFIG_INVALID',
        `labels: a name takes 1 to ${MAX_LABEL_BYTES.key} bytes and a value ${MAX_LABEL_BYTES.value}, got ${bytes.key} and ${bytes.value} at ${key.slice(0, 63)}`
      )
    sum += bytes.key + bytes.value
  }
  if (sum > MAX_LABELS_BYTES)
    throw new ConfigError(
      'CONFIG_INVALID',
      `labels and taints take ${sum} bytes; all together at most ${MAX_LABELS_BYTES}`
    )
}

import { fromUtf8 } from '../../common/index.ts'
import { MAX_EXPANDED_BYTES } from '../constants.ts'
import { toManifestError } from '../errors.ts'
import { configData } from '../objects/config-data.ts'
import { own } from '../objects/json.ts'
import { type Container, type EnvVar, findConfig, type KeyRef } from '../objects/kube.ts'
import type { Manifest } from '../types.ts'
import { expandReferences } from './expand.ts'

/** Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode */
const COMPLETION_INDEX = 'JOB_COMPLETION_INDEX'

export interface ResolvedProcess {
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly command?: readonly string[]
  readonly args?: readonly string[]
}

/** What `fieldRef` can tell a copy of itself. */
export interface CopyFacts {
  /** `metadata.name`, as the copy is called in Kubernetes. */
  readonly podName: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** JOB_COMPLETION_INDEX, where the Job is indexed. */
  readonly completion?: number | undefined
}

/**
 * Environment, command and arguments of one container with every reference filled in, in Kubernetes' order: envFrom
 * first, then env, which wins; `$(NAME)` in an env value sees what came before it, in command and args everything.
 * @throws ManifestError MANIFEST_TOO_LARGE when together they exceed {@link MAX_EXPANDED_BYTES}
 */
export function resolveProcess(manifest: Manifest, container: Container, facts: CopyFacts): ResolvedProcess {
  let left = MAX_EXPANDED_BYTES
  const spend = (text: string): string => {
    left -= Buffer.byteLength(text)
    if (left < 0) throw tooLarge(manifest, container)
    return text
  }
  const env = new Map<string, string>()
  const expand = (text: string): string => {
    const expanded = expandReferences(text, (name) => env.get(name), left)
    if (expanded === undefined) throw tooLarge(manifest, container)
    return spend(expanded)
  }
  for (const { configMapRef, secretRef, prefix = '' } of container.envFrom ?? []) {
    const ref = configMapRef ?? secretRef
    const object =
      ref && findConfig(manifest.objects, configMapRef === undefined ? 'Secret' : 'ConfigMap', ref.name)
    if (object === undefined) continue
    for (const [key, bytes] of configData(object, { textOnly: true }))
      env.set(`${prefix}${key}`, spend(fromUtf8(bytes)))
  }
  for (const variable of container.env ?? []) {
    const value =
      variable.valueFrom === undefined ? expand(variable.value ?? '') : readValue(manifest, variable, facts)
    if (value !== undefined) env.set(variable.name, variable.valueFrom === undefined ? value : spend(value))
  }
  if (facts.completion !== undefined && !env.has(COMPLETION_INDEX))
    env.set(COMPLETION_INDEX, String(facts.completion))
  return {
    env: [...env].map(([name, value]) => ({ name, value })),
    ...(container.command === undefined ? {} : { command: container.command.map(expand) }),
    ...(container.args === undefined ? {} : { args: container.args.map(expand) })
  }
}

/** undefined when an optional reference leads nowhere: the variable is then not set. */
function readValue(manifest: Manifest, { valueFrom }: EnvVar, facts: CopyFacts): string | undefined {
  const { configMapKeyRef, secretKeyRef, fieldRef } = valueFrom ?? {}
  if (fieldRef !== undefined) return readField(manifest, fieldRef.fieldPath, facts)
  if (configMapKeyRef !== undefined) return keyOf(manifest, 'ConfigMap', configMapKeyRef)
  return secretKeyRef === undefined ? undefined : keyOf(manifest, 'Secret', secretKeyRef)
}

/** As in Kubernetes, a label or annotation that is not there reads as empty. */
function readField(
  { namespace }: Manifest,
  path: string,
  { podName, labels, annotations }: CopyFacts
): string {
  if (path === 'metadata.name') return podName
  if (path === 'metadata.namespace') return namespace
  const [, field, key = ''] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path) ?? []
  return own(field === 'labels' ? labels : annotations, key) ?? ''
}

function keyOf(manifest: Manifest, kind: 'ConfigMap' | 'Secret', { name, key }: KeyRef): string | undefined {
  const object = findConfig(manifest.objects, kind, name)
  const bytes = object && configData(object, { textOnly: true }).get(key)
  return bytes && fromUtf8(bytes)
}

function tooLarge({ kind, name }: Manifest, container: Container) {
  return toManifestError([
    {
      code: 'MANIFEST_TOO_LARGE',
      document: 1,
      kind,
      name,
      path: '',
      rule: 'expanded-size',
      message: `gives container ${container.name} more than ${MAX_EXPANDED_BYTES} bytes of env, command and args, once $(NAME) and references are filled in`
    }
  ])
}

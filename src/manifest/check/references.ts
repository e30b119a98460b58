import { isUtf8 } from 'node:buffer'
import { configData } from '../objects/config-data.ts'
import { joinPath } from '../objects/json.ts'
import { type Container, podSpecPath, podTemplateOf, workloadOf } from '../objects/kube.ts'
import type { KubeObject, Manifest } from '../types.ts'
import type { Report } from './report.ts'

/** One place where a workload names what it uses. */
interface Reference {
  readonly kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim'
  readonly name: string
  /** undefined means the whole object. */
  readonly key?: string
  readonly optional: boolean
  readonly path: string
  /** The environment takes text only, a volume any bytes. */
  readonly use: 'env' | 'envFrom' | 'volume'
  readonly prefix?: string
}

/**
 * The ConfigMaps, Secrets and PersistentVolumeClaims that a validated workload uses; reports those missing and the content that cannot be used where it is wanted.
 * @param available objects of the same namespace
 */
export function resolveReferences(
  workload: KubeObject,
  available: readonly KubeObject[],
  report: Report
): readonly KubeObject[] {
  const used = new Set<KubeObject>()
  for (const reference of collectReferences(workload)) {
    const object = available.find(
      (one) => one.kind === reference.kind && one.metadata.name === reference.name
    )
    if (object === undefined) {
      if (!reference.optional)
        report(
          reference.path,
          'reference',
          `refers to ${reference.kind} ${reference.name}, which is not in this file`,
          {
            code: 'MANIFEST_MISSING_REFERENCE'
          }
        )
      continue
    }
    used.add(object)
    if (object.kind !== 'PersistentVolumeClaim') checkContent(reference, object, report)
  }
  return [...used]
}

/**
 * Where a manifest puts the content of a Secret into the environment, as paths. The engine keeps an environment in its own
 * state as long as the pod exists, which a node may not want.
 */
export function secretEnvUses(manifest: Pick<Manifest, 'objects'>): string[] {
  return collectReferences(workloadOf(manifest))
    .filter(({ kind, use }) => kind === 'Secret' && use !== 'volume')
    .map(({ path }) => path)
}

function checkContent(reference: Reference, object: KubeObject, report: Report): void {
  const { kind, name, key, optional, path, use } = reference
  const content = configData(object, { textOnly: use !== 'volume' })
  if (key !== undefined && !content.has(key)) {
    if (!optional)
      report(path, 'reference', `refers to key ${key}, which ${kind} ${name} does not have`, {
        code: 'MANIFEST_MISSING_REFERENCE'
      })
    return
  }
  if (use === 'volume') return
  for (const [found, bytes] of key === undefined
    ? content
    : [[key, content.get(key) as Uint8Array] as const]) {
    const of = `key ${found} of ${kind} ${name}`
    if (key === undefined && !/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(`${reference.prefix ?? ''}${found}`))
      report(path, 'env-name', `takes in ${of}, which is no name for a variable`)
    if (bytes.includes(0) || !isUtf8(bytes)) report(path, 'env-text', `takes in ${of}, which is not text`)
  }
}

function collectReferences(workload: KubeObject): readonly Reference[] {
  const { spec } = podTemplateOf(workload)
  const root = podSpecPath(workload.kind)
  return [
    ...(spec.initContainers ?? []).flatMap((one, index) =>
      containerReferences(one, joinPath(`${root}.initContainers`, index))
    ),
    ...spec.containers.flatMap((one, index) =>
      containerReferences(one, joinPath(`${root}.containers`, index))
    ),
    ...(spec.volumes ?? []).flatMap(
      ({ configMap, secret, persistentVolumeClaim: claim }, index): Reference[] => {
        if (claim !== undefined) {
          const path = `${root}.volumes[${index}].persistentVolumeClaim.claimName`
          return [
            { kind: 'PersistentVolumeClaim', name: claim.claimName, optional: false, path, use: 'volume' }
          ]
        }
        const source = configMap ?? secret
        if (source === undefined) return []
        const [kind, name, field] =
          'secretName' in source
            ? (['Secret', source.secretName, 'secret'] as const)
            : (['ConfigMap', source.name, 'configMap'] as const)
        const whole = {
          kind,
          name,
          optional: source.optional ?? false,
          path: `${root}.volumes[${index}].${field}`,
          use: 'volume' as const
        }
        const items = source.items ?? []
        return [
          whole,
          ...items.map(({ key }, item) => ({ ...whole, key, path: `${whole.path}.items[${item}].key` }))
        ]
      }
    )
  ]
}

function containerReferences(container: Container, path: string): readonly Reference[] {
  const env = (container.env ?? []).flatMap(({ valueFrom }, index): Reference[] => {
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {}
    const ref = configMapKeyRef ?? secretKeyRef
    if (ref === undefined) return []
    const [kind, field] =
      configMapKeyRef === undefined
        ? (['Secret', 'secretKeyRef'] as const)
        : (['ConfigMap', 'configMapKeyRef'] as const)
    const at = `${path}.env[${index}].valueFrom.${field}`
    return [{ kind, name: ref.name, key: ref.key, optional: ref.optional ?? false, path: at, use: 'env' }]
  })
  const envFrom = (container.envFrom ?? []).flatMap(
    ({ configMapRef, secretRef, prefix }, index): Reference[] => {
      const ref = configMapRef ?? secretRef
      if (ref === undefined) return []
      const [kind, field] =
        configMapRef === undefined
          ? (['Secret', 'secretRef'] as const)
          : (['ConfigMap', 'configMapRef'] as const)
      const at = `${path}.envFrom[${index}].${field}`
      const shared = {
        kind,
        name: ref.name,
        optional: ref.optional ?? false,
        path: at,
        use: 'envFrom' as const
      }
      return [prefix === undefined ? shared : { ...shared, prefix }]
    }
  )
  return [...env, ...envFrom]
}

import { asRecord, type JsonRecord } from '../objects/json.ts'
import { podSpecPath, podTemplateOf, workloadOf } from '../objects/kube.ts'
import { parseMemoryBytes } from '../objects/quantity.ts'
import type { Manifest } from '../types.ts'
import type { Report } from './report.ts'

/** Reports a size that is none. */
export function checkClaimSpec(spec: JsonRecord, path: string, report: Report): void {
  const { storage } = asRecord(asRecord(spec.resources).requests)
  if (typeof storage !== 'string' && typeof storage !== 'number') return
  if ((parseMemoryBytes(storage) ?? 0) <= 0)
    report(`${path}.resources.requests.storage`, 'quantity', 'must be whole bytes, such as 1Gi', {
      value: storage
    })
}

/** Reports a claim that several copies would share, because volumes are directories on one machine. */
export function checkClaimUse(manifest: Manifest, report: Report): void {
  const { kind, replicas, perNode, autoscale } = manifest
  if (Math.max(replicas, autoscale?.maxReplicas ?? 0) <= 1 && !perNode) return
  const { volumes = [] } = podTemplateOf(workloadOf(manifest)).spec
  const instead =
    kind === 'StatefulSet'
      ? 'write it in volumeClaimTemplates'
      : 'write a StatefulSet with volumeClaimTemplates'
  for (const [index, { persistentVolumeClaim }] of volumes.entries())
    if (persistentVolumeClaim !== undefined)
      report(
        `${podSpecPath(kind)}.volumes[${index}].persistentVolumeClaim`,
        'refused',
        `is refused: copies on different machines cannot share a volume; ${instead}, or have one copy`,
        { code: 'MANIFEST_UNSUPPORTED_FIELD' }
      )
}

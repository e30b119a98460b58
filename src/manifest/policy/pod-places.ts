import { asList, asRecord, type JsonRecord } from '../objects/json.ts'
import { type PodSpec, podSpecPath, podTemplateOf, workloadOf } from '../objects/kube.ts'
import type { Manifest } from '../types.ts'

export interface ContainerPlace {
  readonly path: string
  readonly value: JsonRecord
  readonly security: JsonRecord
}

/** The pod of a workload as plain JSON with its paths, because a policy also names what the types here do not have. */
export interface PodPlaces {
  readonly path: string
  readonly spec: JsonRecord
  readonly security: JsonRecord
  readonly containers: readonly ContainerPlace[]
}

const CONTAINER_FIELDS = ['initContainers', 'containers', 'ephemeralContainers'] as const

export function podPlacesOf(manifest: Pick<Manifest, 'objects'>): PodPlaces {
  const workload = workloadOf(manifest)
  const path = podSpecPath(workload.kind)
  const spec = podTemplateOf(workload).spec as PodSpec & JsonRecord
  const containers = CONTAINER_FIELDS.flatMap((field) =>
    asList(spec[field]).map((raw, index): ContainerPlace => {
      const value = asRecord(raw)
      const security = asRecord(value.securityContext)
      return { path: `${path}.${field}[${index}]`, value, security }
    })
  )
  return { path, spec, security: asRecord(spec.securityContext), containers }
}

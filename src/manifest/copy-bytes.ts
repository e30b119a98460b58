import serialize from 'canonicalize'
import { utf8 } from '../common/index.ts'
import { NODES_ANNOTATION, PRIORITY_ANNOTATION, STRATEGY_ANNOTATION } from './constants.ts'
import { asRecord } from './objects/json.ts'
import type { KubeObject, Manifest } from './types.ts'

/** How many copies there are, how they are replaced, and where they run: nothing that a running copy would notice. */
const OF_THE_MESH = new Set([
  'replicas',
  'strategy',
  'updateStrategy',
  'minReadySeconds',
  'progressDeadlineSeconds',
  'podManagementPolicy'
])
const ANNOTATIONS_OF_THE_MESH = new Set([STRATEGY_ANNOTATION, NODES_ANNOTATION, PRIORITY_ANNOTATION])

/** What a running copy depends on, as bytes: two versions with the same may share it, and only their number differs. */
export function copyBytes({ objects }: Pick<Manifest, 'objects'>): Uint8Array {
  const [workload, ...others] = objects
  const used = others.filter(({ kind }) => kind !== 'HorizontalPodAutoscaler')
  return utf8(serialize(workload === undefined ? used : [withoutMesh(workload), ...used]) ?? '')
}

function withoutMesh(workload: KubeObject): object {
  const { annotations, ...metadata } = workload.metadata
  return {
    ...workload,
    metadata: { ...metadata, annotations: without(asRecord(annotations), ANNOTATIONS_OF_THE_MESH) },
    spec: workload.kind === 'Pod' ? workload.spec : without(asRecord(workload.spec), OF_THE_MESH)
  }
}

function without(record: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.has(name)))
}

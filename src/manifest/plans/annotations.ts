import {
  MAX_PIDS_LIMIT,
  ON_NODE_LOSS_ANNOTATION,
  ON_PARTITION_ANNOTATION,
  PIDS_LIMIT_ANNOTATION
} from '../constants.ts'
import { asRecord, asText, own } from '../objects/json.ts'
import { workloadOf } from '../objects/kube.ts'
import type { Manifest } from '../types.ts'
import type { Recovery } from './types.ts'

/** Most processes and threads that each container may have, from annotation `beemesh.io/pids-limit`; undefined leaves it to the node. */
export function pidsLimitOf(manifest: Pick<Manifest, 'objects'>): number | undefined {
  const text = annotationOf(manifest, PIDS_LIMIT_ANNOTATION)
  return text === undefined ? undefined : parsePidsLimit(text)
}

/** A whole number from 1 to {@link MAX_PIDS_LIMIT}, in plain digits; undefined for anything else. */
export function parsePidsLimit(text: string): number | undefined {
  const limit = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined
  return limit !== undefined && limit <= MAX_PIDS_LIMIT ? limit : undefined
}

/**
 * What the owner wants when machines are cut off or lost, by annotation, else by ARCHITECTURE.md section 3: a StatefulSet
 * is fenced, and what has a claim stays with its machine.
 */
export function recoveryOf(manifest: Pick<Manifest, 'objects' | 'kind' | 'claims'>): Recovery {
  const onPartition = annotationOf(manifest, ON_PARTITION_ANNOTATION) as Recovery['onPartition'] | undefined
  const onNodeLoss = annotationOf(manifest, ON_NODE_LOSS_ANNOTATION) as Recovery['onNodeLoss'] | undefined
  return {
    onPartition: onPartition ?? (manifest.kind === 'StatefulSet' ? 'fence' : 'keep'),
    onNodeLoss: onNodeLoss ?? (manifest.claims.length > 0 ? 'keep' : 'recreate')
  }
}

function annotationOf(manifest: Pick<Manifest, 'objects'>, name: string): string | undefined {
  return asText(own(asRecord(workloadOf(manifest).metadata.annotations), name))
}

import type { Abortable } from '../../common/index.ts'
import {
  type KubeObject,
  type Manifest,
  parseManifests,
  RESTARTED_AT_ANNOTATION
} from '../../manifest/index.ts'
import type { Client } from '../client.ts'
import { ClientError } from '../errors.ts'
import type { ManifestResult, ProgressEvent } from '../types.ts'
import { fetchRunning } from './fetch.ts'

export interface ChangeOptions extends Abortable {
  readonly onProgress?: (event: ProgressEvent) => void
}

const SCALABLE: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet'])

/** Another number of copies; those that run go on. @throws ClientError NOT_SCALABLE, NOT_READABLE, REF_NOT_FOUND, REF_AMBIGUOUS */
export function scale(
  client: Client,
  ref: string,
  { replicas, ...options }: ChangeOptions & { readonly replicas: number }
): Promise<ManifestResult> {
  return change(client, ref, options, (manifest) => {
    if (!SCALABLE.has(manifest.kind))
      throw new ClientError('NOT_SCALABLE', `a ${manifest.kind} has no number of copies to change`, {
        hint: 'Only a Deployment and a StatefulSet have one.'
      })
    if (manifest.autoscale !== undefined)
      throw new ClientError('NOT_SCALABLE', `${ref} has an autoscaler, which would change the number again`, {
        hint: 'Change minReplicas and maxReplicas of its HorizontalPodAutoscaler, and apply the file.'
      })
    return withWorkload(manifest, (workload) => ({
      ...workload,
      spec: { ...(workload.spec as object), replicas }
    }))
  })
}

/** Every copy anew, as by a newer version. @throws ClientError NOT_READABLE, REF_NOT_FOUND, REF_AMBIGUOUS */
export function restart(
  client: Client,
  ref: string,
  { at = new Date(), ...options }: ChangeOptions & { readonly at?: Date } = {}
): Promise<ManifestResult> {
  return change(client, ref, options, (manifest) =>
    withWorkload(manifest, ({ metadata, ...workload }) => {
      const annotations = { ...(metadata.annotations as object), [RESTARTED_AT_ANNOTATION]: at.toISOString() }
      return { ...workload, metadata: { ...metadata, annotations } } as KubeObject
    })
  )
}

/** Reads what runs back, changes it, and applies it as a newer version. */
async function change(
  client: Client,
  ref: string,
  { signal, onProgress }: ChangeOptions,
  act: (manifest: Manifest) => Manifest
): Promise<ManifestResult> {
  const held = await client.held(ref, { signal })
  const { manifest } = await fetchRunning(client.session, held, { signal })
  const [result] = await client.apply([act(manifest)], { signal, onProgress })
  return result!
}

/** The workload changed, and all of it checked again as a file would be. */
function withWorkload({ objects }: Manifest, act: (workload: KubeObject) => KubeObject): Manifest {
  const [workload, ...used] = objects
  const documents = [act(workload!), ...used].map((one) => JSON.stringify(one))
  return parseManifests(documents.join('\n---\n'), { file: 'what runs' })[0]!
}

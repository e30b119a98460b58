import { asText } from '../objects/json.ts'
import type { Manifest } from '../types.ts'
import { parseImage } from './image-reference.ts'
import { podPlacesOf } from './pod-places.ts'

/** The images of a workload as registries know them, without tag and digest; one without a registry as it is written. */
export function imageNamesOf(manifest: Pick<Manifest, 'objects'>): string[] {
  return podPlacesOf(manifest).containers.map(({ value }) => {
    const text = asText(value.image) ?? ''
    const image = parseImage(text)
    return image?.registry === undefined ? text : `${image.registry}/${image.repository}`
  })
}

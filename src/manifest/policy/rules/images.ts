import { safeText } from '../../../common/index.ts'
import { asText } from '../../objects/json.ts'
import { isBelow, parseImage } from '../image-reference.ts'
import type { PodPlaces } from '../pod-places.ts'
import type { PolicyViolation, SandboxRules } from '../types.ts'

/** Prefixes in a message, so that a long list does not fill a screen. */
const MAX_SHOWN = 5

/** Where images come from, and whether what is run is what was meant. */
export function checkImages({ containers }: PodPlaces, rules: SandboxRules): PolicyViolation[] {
  return containers.flatMap(({ path, value }) => {
    const text = asText(value.image) ?? ''
    const image = parseImage(text)
    const found: PolicyViolation[] = []
    const refuse = (rule: PolicyViolation['rule'], message: string) =>
      found.push({ path: `${path}.image`, rule, message: `(${safeText(text, 100)}) ${message}` })
    if (rules.requireDigest && image?.digest === undefined)
      refuse('requireDigest', 'must be pinned by a digest, as name@sha256:…')
    if (rules.registries.length === 0) return found
    if (image === undefined) refuse('registries', 'is no name of an image')
    // because Docker takes its own registry then, and Podman whichever its machine's settings put first
    else if (image.registry === undefined)
      refuse('registries', 'names no registry: write it, such as docker.io/library/nginx')
    else if (!isBelow(image, rules.registries)) {
      const more = rules.registries.length > MAX_SHOWN ? ', …' : ''
      refuse('registries', `must come from ${rules.registries.slice(0, MAX_SHOWN).join(', ')}${more}`)
    }
    return found
  })
}

import { nodeTargets } from './targets/nodes.ts'
import { sealedTargets } from './targets/sealed.ts'
import { SIGNED_TARGETS } from './targets/signed.ts'
import { TEXT_TARGETS } from './targets/text.ts'
import { wireTargets } from './targets/wire.ts'
import type { Target } from './types.ts'

/** Every way in. A new one is a row in one of the files of `targets/`; a new FlatBuffer root is there by itself. */
export async function allTargets(): Promise<Target[]> {
  return [
    ...SIGNED_TARGETS,
    ...(await sealedTargets()),
    ...(await nodeTargets()),
    ...(await wireTargets()),
    ...TEXT_TARGETS
  ]
}

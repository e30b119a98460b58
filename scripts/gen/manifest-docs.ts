import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { generateManifestDocs } from './manifests.ts'
import type { Generator } from './types.ts'

/** docs/MANIFESTS.md, from schemas/manifest. */
export function manifestDocsGenerator(root: string): Generator {
  return {
    name: 'manifests',
    ownedFolders: [],
    inputs: () => [
      ...readdirSync(join(root, 'schemas/manifest')).map((file) => `schemas/manifest/${file}`),
      ...readdirSync(join(root, 'src/manifest/compose/fields')).map(
        (file) => `src/manifest/compose/fields/${file}`
      ),
      'src/manifest/constants.ts',
      'scripts/gen/compose-docs.ts',
      'scripts/gen/manifests.ts'
    ],
    generate: () => ({ files: new Map([['docs/MANIFESTS.md', generateManifestDocs()]]), kept: [] })
  }
}

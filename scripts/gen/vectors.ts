/** test/vectors/*.json: golden bytes from fixed keys, nonces and times, for anybody who writes another implementation. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Generated, Generator } from './types.ts'
import { ed25519Vectors } from './vectors-ed25519.ts'
import { envelopeVectors } from './vectors-envelope.ts'
import { identityVectors } from './vectors-identity.ts'
import { sealingVectors } from './vectors-sealing.ts'

const TARGET = 'test/vectors'

export function vectorsGenerator(root: string): Generator {
  return {
    name: 'vectors',
    ownedFolders: [],
    inputs() {
      const scripts = readdirSync(join(root, 'scripts/gen')).filter((name) => /^vectors.*\.ts$/.test(name))
      return scripts.sort().map((name) => `scripts/gen/${name}`)
    },
    generate(): Generated {
      const vectors = { ...ed25519Vectors(), ...identityVectors(), ...envelopeVectors(), ...sealingVectors() }
      const files = Object.entries(vectors).map(
        ([name, value]) => [`${TARGET}/${name}.json`, `${JSON.stringify(value, undefined, 2)}\n`] as const
      )
      return { files: new Map(files), kept: [] }
    }
  }
}

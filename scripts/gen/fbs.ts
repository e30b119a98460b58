/** fbs/*.fbs -> src/generated/fbs/: flatc's classes, the verifier's layouts, and codecs with plain objects. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { emitCodecs, emitIndex } from './fbs-codecs.ts'
import { flatcMissing, runFlatc } from './fbs-flatc.ts'
import { emitLayouts } from './fbs-layouts.ts'
import { loadModel, schemaNames } from './fbs-model.ts'
import type { Generated, Generator } from './types.ts'

const TARGET = 'src/generated/fbs'

export function fbsGenerator(root: string): Generator {
  return {
    name: 'fbs',
    ownedFolders: [`${TARGET}/`],
    inputs() {
      const scripts = readdirSync(join(root, 'scripts/gen')).filter((name) => /^fbs.*\.ts$/.test(name))
      return [
        ...schemaNames(root).map((name) => `fbs/${name}.fbs`),
        ...scripts.sort().map((name) => `scripts/gen/${name}`)
      ]
    },
    generate(): Generated {
      const model = loadModel(root)
      const files = new Map<string, string>()
      files.set(`${TARGET}/layouts.ts`, emitLayouts(model))
      for (const [file, content] of emitCodecs(model)) files.set(`${TARGET}/codecs/${file}.ts`, content)
      files.set(`${TARGET}/index.ts`, emitIndex(model))
      const missing = flatcMissing()
      if (missing === undefined) {
        for (const [file, content] of runFlatc(root)) files.set(`${TARGET}/beemesh/v1/${file}`, content)
        return { files, kept: [] }
      }
      const kept = readdirSync(join(root, TARGET, 'beemesh/v1')).map((file) => `${TARGET}/beemesh/v1/${file}`)
      return { files, kept, note: `${missing}; its classes are kept as committed` }
    }
  }
}

/** Writes what vectors.ts makes: `node test/protocol/write-vectors.ts`. vectors.spec.ts says when that is due. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { protocolVectors } from './vectors.ts'

for (const [name, value] of Object.entries(await protocolVectors()))
  writeFileSync(
    join(import.meta.dirname, '../vectors', `${name}.json`),
    `${JSON.stringify(value, undefined, 2)}\n`
  )

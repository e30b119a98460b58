import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { protocolVectors } from './vectors.ts'

describe('protocol vectors', () => {
  it('are what the code makes now; if a change is wanted, run test/protocol/write-vectors.ts', async () => {
    for (const [name, value] of Object.entries(await protocolVectors())) {
      const path = join(import.meta.dirname, '../vectors', `${name}.json`)

      expect(JSON.parse(readFileSync(path, 'utf8')), name).to.deep.equal(value)
    }
  })
})

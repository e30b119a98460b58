import { chmod, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect } from 'chai'
import {
  generateSealingKey,
  loadOrCreateSealingKey,
  loadSealingKey,
  parseSealingKey,
  saveSealingKey,
  sealingKeyFromSeed,
  serialiseSealingKey
} from '../../src/sealing/index.ts'
import { bytesOf, codeOfAsync } from '../envelope/fixtures.ts'

describe('sealing key', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beemesh-sealing-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('comes back from its file, which only its user can read', async () => {
    const path = join(folder, 'keys', 'sealing.key')
    const first = await loadOrCreateSealingKey(path)
    const second = await loadOrCreateSealingKey(path)

    expect([first.created, second.created, first.key.epoch]).to.deep.equal([true, false, 1])
    expect(second.key).to.deep.equal(first.key)
    expect(first.key.publicKey.byteLength).to.equal(1216)
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
  })

  it('is replaced by its successor', async () => {
    const path = join(folder, 'sealing.key')
    await loadOrCreateSealingKey(path)
    const next = await generateSealingKey({ epoch: 2 })
    await saveSealingKey(path, next)

    expect(await loadSealingKey(path)).to.deep.equal(next)
  })

  it('is refused from a file that others can read', async () => {
    const path = join(folder, 'sealing.key')
    await loadOrCreateSealingKey(path)
    await chmod(path, 0o640)

    expect(await codeOfAsync(() => loadSealingKey(path))).to.equal('IDENTITY_FILE_UNSAFE')
  })

  for (const text of [
    '',
    'null',
    '[]',
    '{}',
    '{"kem":"x25519","epoch":1,"seed":"AA=="}',
    '{"kem":"x-wing","epoch":1,"seed":"AA=="}',
    '{"kem":"x-wing","epoch":-1,"seed":""}'
  ]) {
    it(`is not ${text === '' ? 'an empty file' : text}`, async () => {
      expect(await codeOfAsync(() => parseSealingKey(text))).to.equal('SEALING_KEY_INVALID')
    })
  }

  it('does not show its secret when it is printed', async () => {
    const seed = bytesOf('seed', 32)
    const key = await sealingKeyFromSeed(seed, { epoch: 1 })
    const printed = inspect(key, { showHidden: true, maxArrayLength: null }) + JSON.stringify(key)

    expect(printed.replace(/\s+/g, '')).not.to.contain(seed.join(','))
    expect(serialiseSealingKey(key)).to.contain(Buffer.from(seed).toString('base64'))
  })
})

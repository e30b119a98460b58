import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { SealingKeyring, sealingKeyFromSeed } from '../../src/sealing/index.ts'
import { bytesOf, codeOf, codeOfAsync } from '../envelope/fixtures.ts'

describe('sealing key', () => {
  let folder: string
  let path: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beemesh-sealing-'))
    path = join(folder, 'sealing.key')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('comes back from its file, which only its user can read', async () => {
    const deep = join(folder, 'keys', 'sealing.key')
    const first = await SealingKeyring.open(deep)
    const second = await SealingKeyring.open(deep)

    expect(first.current.epoch).to.equal(1)
    expect(second.current).to.deep.equal(first.current)
    expect(first.current.publicKey.byteLength).to.equal(1216)
    expect((await stat(deep)).mode & 0o777).to.equal(0o600)
  })

  it('is replaced by its successor and stays beside it, also in the file', async () => {
    const keys = await SealingKeyring.open(path, { now: () => 1_000 })
    const first = keys.current
    const second = await keys.rotate()
    const again = await SealingKeyring.open(path)

    expect(keys.current).to.equal(second)
    expect([again.current, again.of(1), again.of(2)]).to.deep.equal([second, first, second])
    expect(again.older.map(({ key }) => key.epoch)).to.deep.equal([1])
    expect(again.madeAtMs).to.equal(1_000)
  })

  it('is refused with what to do once it is destroyed, and its file does not have it any more', async () => {
    const keys = await SealingKeyring.open(path)
    const before = JSON.parse(await readFile(path, 'utf8')).keys[0].seed
    await keys.rotate()
    await keys.destroy(1)

    expect(codeOf(() => keys.of(1))).to.equal('SEALING_KEY_GONE')
    expect(await readFile(path, 'utf8')).not.to.contain(before)
    expect((await SealingKeyring.open(path)).older).to.deep.equal([])
  })

  it('is refused for what comes in, not for what is stored, when it is about to go', async () => {
    const keys = await SealingKeyring.open(path)
    await keys.rotate()
    keys.retire(1)

    expect(codeOf(() => keys.of(1))).to.equal('SEALING_KEY_GONE')
    expect(keys.stored.of(1).epoch).to.equal(1)
  })

  it('is never destroyed while others seal to it', async () => {
    const keys = await SealingKeyring.open(path)
    keys.retire(1)

    expect(await codeOfAsync(() => keys.destroy(1))).to.equal('SEALING_KEY_INVALID')
    expect(keys.of(1)).to.equal(keys.current)
  })

  it('is read from a file of the form that held one key', async () => {
    const seed = bytesOf('seed', 32)
    const text = JSON.stringify({ kem: 'x-wing', epoch: 1, seed: Buffer.from(seed).toString('base64') })
    await writeFile(path, `${text}\n`, { mode: 0o600 })
    const keys = await SealingKeyring.open(path, { now: () => 5_000 })

    expect(keys.current).to.deep.equal(await sealingKeyFromSeed(seed, { epoch: 1 }))
    expect((await SealingKeyring.open(path, { now: () => 9_000 })).madeAtMs, 'its age counts').to.equal(5_000)
  })

  it('is refused from a file that others can read', async () => {
    await SealingKeyring.open(path)
    await chmod(path, 0o640)

    expect(await codeOfAsync(() => SealingKeyring.open(path))).to.equal('IDENTITY_FILE_UNSAFE')
  })

  const seed = Buffer.alloc(32, 7).toString('base64')
  for (const text of [
    '',
    'null',
    '[]',
    '{}',
    '{"kem":"x25519","epoch":1,"seed":"AA=="}',
    '{"kem":"x-wing","epoch":1,"seed":"AA=="}',
    '{"kem":"x-wing","epoch":-1,"seed":""}',
    '{"kem":"x-wing","keys":[]}',
    '{"kem":"x-wing","keys":[null]}',
    `{"kem":"x-wing","keys":[{"epoch":1,"seed":"${seed}"}]}`,
    `{"kem":"x-wing","keys":[{"epoch":1,"seed":"${seed}","madeAtMs":1},{"epoch":2,"seed":"${seed}","madeAtMs":1}]}`
  ]) {
    it(`is not ${text === '' ? 'an empty file' : text}`, async () => {
      await writeFile(path, text, { mode: 0o600 })

      expect(await codeOfAsync(() => SealingKeyring.open(path))).to.equal('SEALING_KEY_INVALID')
    })
  }

  it('does not show its secret when it is printed', async () => {
    const bytes = bytesOf('seed', 32)
    const key = await sealingKeyFromSeed(bytes, { epoch: 1 })
    const keys = await SealingKeyring.open(path)
    const shown = (value: unknown) =>
      (inspect(value, { showHidden: true, depth: 9, maxArrayLength: null }) + JSON.stringify(value)).replace(
        /\s+/g,
        ''
      )

    expect(shown(key)).not.to.contain(bytes.join(','))
    expect(shown(keys)).not.to.contain(JSON.parse(await readFile(path, 'utf8')).keys[0].seed)
  })
})

import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  changeSecretFile,
  givenPassphrase,
  loadOrCreateSigningKey,
  loadSigningKey,
  readSecretFile
} from '../../src/identity/index.ts'
import { codeOfAsync } from '../envelope/fixtures.ts'

const PASSPHRASE = 'correct horse battery staple'
const right = async () => PASSPHRASE
const wrong = async () => 'correct horse battery stapler'

describe('secret file', () => {
  let folder: string
  let path: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beemesh-secret-'))
    path = join(folder, 'identity')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const encrypted = async () => {
    const { key } = await loadOrCreateSigningKey(path)
    await changeSecretFile(path, { to: 'encrypted', passphrase: right })
    return key
  }

  it('is the same key under a passphrase and in clear again, for its user alone', async () => {
    const clear = await loadOrCreateSigningKey(path).then(() => readFile(path, 'utf8'))
    const key = await encrypted()
    const text = await readFile(path, 'utf8')

    expect(text).not.to.contain(clear.trim())
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    expect((await loadSigningKey(path, right)).peerId).to.equal(key.peerId)
    expect(await changeSecretFile(path, { to: 'encrypted', passphrase: right }), 'again').to.equal(false)
    expect(await changeSecretFile(path, { to: 'clear', passphrase: right })).to.equal(true)
    expect(await readFile(path, 'utf8')).to.equal(clear)
  })

  it('stays as it is when the passphrase is wrong or missing, with what to do', async () => {
    await encrypted()
    const before = await readFile(path, 'utf8')

    expect(await codeOfAsync(() => loadSigningKey(path, wrong))).to.equal('PASSPHRASE_WRONG')
    expect(await codeOfAsync(() => loadSigningKey(path))).to.equal('PASSPHRASE_NEEDED')
    expect(await codeOfAsync(() => loadOrCreateSigningKey(path))).to.equal('PASSPHRASE_NEEDED')
    const change = () => changeSecretFile(path, { to: 'clear', passphrase: wrong })
    expect(await codeOfAsync(change)).to.equal('PASSPHRASE_WRONG')
    expect(await readFile(path, 'utf8')).to.equal(before)
    const error = await loadSigningKey(path, wrong).catch((thrown) => thrown)
    expect(JSON.stringify([error.message, error.details, error.hint])).not.to.contain('horse')
  })

  it('is made under the passphrase at once where one is given', async () => {
    const { key } = await loadOrCreateSigningKey(path, { encryptNew: PASSPHRASE })

    expect((await readSecretFile(path, right)).encrypted).to.equal(true)
    expect((await loadSigningKey(path, right)).peerId).to.equal(key.peerId)
  })

  it('has another salt and nonce each time', async () => {
    await encrypted()
    const first = JSON.parse(await readFile(path, 'utf8'))
    await changeSecretFile(path, { to: 'clear', passphrase: right })
    await changeSecretFile(path, { to: 'encrypted', passphrase: right })
    const second = JSON.parse(await readFile(path, 'utf8'))

    for (const field of ['salt', 'nonce', 'ciphertext']) expect(first[field]).not.to.equal(second[field])
    expect(first).to.include({ 'beemesh-encrypted': 1, kdf: 'scrypt', cipher: 'aes-256-gcm', r: 8 })
  })

  for (const [what, change] of [
    ['its salt', { salt: Buffer.alloc(16).toString('base64') }],
    ['its cost', { p: 1 }],
    ['its nonce', { nonce: Buffer.alloc(12).toString('base64') }],
    ['its ciphertext', { ciphertext: Buffer.alloc(120).toString('base64') }]
  ] as const)
    it(`is not opened when ${what} was changed`, async () => {
      await encrypted()
      await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }))

      expect(await codeOfAsync(() => loadSigningKey(path, right))).to.equal('PASSPHRASE_WRONG')
    })

  for (const change of [
    { n: 2 ** 30 },
    { n: 65_537 },
    { n: 0 },
    { n: '65536' },
    { r: 4_096 },
    { p: 1_000 },
    { p: -1 },
    { kdf: 'pbkdf2' },
    { cipher: 'aes-256-cbc' },
    { salt: 'AA==' },
    { nonce: undefined },
    { ciphertext: 'AA==' },
    { ciphertext: 7 }
  ])
    it(`is refused before any work is done when it says ${JSON.stringify(change)}`, async () => {
      await encrypted()
      await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }))
      const startedAt = performance.now()

      expect(await codeOfAsync(() => loadSigningKey(path, right))).to.equal('IDENTITY_FILE_INVALID')
      expect(performance.now() - startedAt).to.be.below(250)
    })

  it('takes its passphrase from the first line of a file, else from the environment', async () => {
    const file = join(folder, 'passphrase')
    await writeFile(file, `${PASSPHRASE}\nnot this\n`, { mode: 0o600 })
    const env = { BEEMESH_PASSPHRASE: 'from the environment', BEEMESH_PASSPHRASE_FILE: file }

    expect(await givenPassphrase({ file, env: {} })).to.equal(PASSPHRASE)
    expect(await givenPassphrase({ env })).to.equal(PASSPHRASE)
    expect(await givenPassphrase({ env: { BEEMESH_PASSPHRASE: 'x' } })).to.equal('x')
    expect(await givenPassphrase({ env: {} })).to.equal(undefined)
    await chmod(file, 0o644)
    expect(await codeOfAsync(() => givenPassphrase({ file, env: {} }))).to.equal('IDENTITY_FILE_UNSAFE')
    await writeFile(file, '\n')
    await chmod(file, 0o600)
    expect(await codeOfAsync(() => givenPassphrase({ file, env: {} }))).to.equal('PASSPHRASE_INVALID')
    expect(await codeOfAsync(() => givenPassphrase({ file: join(folder, 'none'), env: {} }))).to.equal(
      'IDENTITY_FILE_MISSING'
    )
  })
})

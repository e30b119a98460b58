import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import {
  deriveSecret,
  generateSigningKey,
  loadOrCreateSigningKey,
  loadSigningKey,
  signingKeyFromLibp2pBytes,
  toLibp2pPrivateKeyBytes
} from '../../src/identity/index.ts'
import { codeOf, codeOfAsync } from '../envelope/fixtures.ts'

describe('signing key', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beemesh-identity-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('is the same identity as in libp2p', async () => {
    const key = generateSigningKey()
    const theirs = privateKeyFromProtobuf(toLibp2pPrivateKeyBytes(key))

    expect(peerIdFromPrivateKey(theirs).toString()).to.equal(key.peerId)
    expect(theirs.publicKey.raw).to.deep.equal(key.publicKey)
    const message = new TextEncoder().encode('hello')
    expect(await theirs.sign(message)).to.deep.equal(key.sign(message))
  })

  it('is made once and found again, in a file and folders that only its user can read', async () => {
    const path = join(folder, 'a', 'b', 'identity.key')
    const first = await loadOrCreateSigningKey(path)
    const second = await loadOrCreateSigningKey(path)

    expect([first.created, second.created]).to.deep.equal([true, false])
    expect(second.key.peerId).to.equal(first.key.peerId)
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    expect((await stat(join(folder, 'a'))).mode & 0o777).to.equal(0o700)
    expect(await readFile(path, 'utf8')).to.match(/^[A-Za-z0-9+/]{91}=\n$/)
  })

  it('is one identity when several processes start at once', async () => {
    const path = join(folder, 'identity.key')
    const all = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateSigningKey(path)))

    expect(new Set(all.map(({ key }) => key.peerId)).size).to.equal(1)
    expect(all.filter(({ created }) => created)).to.have.length(1)
  })

  for (const mode of [0o640, 0o604, 0o620, 0o666]) {
    it(`is refused from a file with mode ${mode.toString(8)}`, async () => {
      const path = join(folder, 'identity.key')
      await loadOrCreateSigningKey(path)
      await chmod(path, mode)

      expect(await codeOfAsync(() => loadSigningKey(path))).to.equal('IDENTITY_FILE_UNSAFE')
      expect(await codeOfAsync(() => loadOrCreateSigningKey(path))).to.equal('IDENTITY_FILE_UNSAFE')
    })
  }

  it('says what is wrong with the file', async () => {
    const path = join(folder, 'identity.key')
    expect(await codeOfAsync(() => loadSigningKey(path))).to.equal('IDENTITY_FILE_MISSING')
    expect(await codeOfAsync(() => loadSigningKey(folder))).to.equal('IDENTITY_FILE_UNSAFE')
    await writeFile(path, 'not a key\n', { mode: 0o600 })
    expect(await codeOfAsync(() => loadSigningKey(path))).to.equal('IDENTITY_FILE_INVALID')
    await symlink(join(folder, 'nowhere', 'x'), join(folder, 'link'))
    expect(await codeOfAsync(() => loadSigningKey(join(folder, 'link')))).to.equal('IDENTITY_FILE_MISSING')
  })

  it('leaves no temporary file and never replaces a key it cannot read', async () => {
    const path = join(folder, 'identity.key')
    await writeFile(path, 'not a key\n', { mode: 0o600 })

    expect(await codeOfAsync(() => loadOrCreateSigningKey(path))).to.equal('IDENTITY_FILE_INVALID')
    expect(await readFile(path, 'utf8')).to.equal('not a key\n')
  })

  it('refuses a public key that does not belong to the private one', () => {
    const bytes = toLibp2pPrivateKeyBytes(generateSigningKey())
    bytes[60]! ^= 1

    expect(codeOf(() => signingKeyFromLibp2pBytes(bytes))).to.equal('IDENTITY_KEY_INVALID')
    expect(codeOf(() => signingKeyFromLibp2pBytes(bytes.subarray(1)))).to.equal('IDENTITY_KEY_INVALID')
  })

  it('derives secrets that differ by label and by key, and repeat', () => {
    const key = generateSigningKey()
    const derived = [deriveSecret(key, 'a'), deriveSecret(key, 'b'), deriveSecret(generateSigningKey(), 'a')]

    expect(new Set(derived.map((bytes) => Buffer.from(bytes).toString('hex'))).size).to.equal(3)
    expect(deriveSecret(key, 'a')).to.deep.equal(derived[0])
    expect(codeOf(() => deriveSecret({ ...key }, 'a'))).to.equal('IDENTITY_KEY_UNSUPPORTED')
  })

  it('does not show its secret when it is printed', () => {
    const key = generateSigningKey()
    const seed = Buffer.from(toLibp2pPrivateKeyBytes(key).subarray(4, 36))
    const printed = inspect(key, { depth: 9, showHidden: true, maxArrayLength: null }) + JSON.stringify(key)

    expect(printed).not.to.contain(seed.toString('hex'))
    expect(printed).not.to.contain(seed.toString('base64'))
    expect(printed.replace(/\s+/g, '')).not.to.contain(seed.join(','))
  })
})

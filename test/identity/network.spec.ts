import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect } from 'chai'
import {
  loadNetworkKey,
  loadOrCreateNetworkKey,
  networkPsk,
  networkTag,
  openNetwork,
  privateNetwork
} from '../../src/identity/index.ts'
import { bytesOf, codeOf, codeOfAsync } from '../envelope/fixtures.ts'

const SECRET = bytesOf('secret', 32)

describe('network', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beemesh-network-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('is the same for everybody who knows the name of an open one', () => {
    expect(openNetwork('a').id).to.deep.equal(openNetwork('a').id)
    expect(openNetwork('a').open).to.equal(true)
    expect(networkTag(openNetwork('a'))).to.match(/^[0-9a-f]{16}$/)
    expect(networkTag(openNetwork('a').id)).to.equal(networkTag(openNetwork('a')))
  })

  it('is another one when name or secret differ', () => {
    const tags = [
      openNetwork('a'),
      openNetwork('b'),
      privateNetwork('a', SECRET),
      privateNetwork('b', SECRET),
      privateNetwork('a', bytesOf('other', 32))
    ]

    expect(new Set(tags.map(networkTag)).size).to.equal(5)
    expect(networkPsk(privateNetwork('a', SECRET))).not.to.deep.equal(SECRET)
  })

  it('does not show its secret when it is printed', () => {
    const network = privateNetwork('a', SECRET)

    expect(inspect(network) + JSON.stringify(network)).not.to.contain('secret')
    expect(network.secret).to.deep.equal(SECRET)
  })

  for (const name of ['', '-a', 'a-', 'A', 'a_b', 'a.b', 'a'.repeat(64), 'a\nb', 'ä']) {
    it(`has not the name ${JSON.stringify(name)}`, () => {
      expect(codeOf(() => openNetwork(name))).to.equal('NETWORK_NAME_INVALID')
    })
  }

  it('may have a name of 1 or 63 characters', () => {
    expect(openNetwork('a').name).to.equal('a')
    expect(openNetwork('a'.repeat(63)).name).to.have.length(63)
  })

  it('comes back from its key file, which only its user can read', async () => {
    const path = join(folder, 'network.key')
    const { network: made } = await loadOrCreateNetworkKey(path, 'home')

    expect(await loadNetworkKey(path)).to.deep.equal(made)
    expect((await loadNetworkKey(path)).secret).to.deep.equal(made.secret)
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    expect(await readFile(path, 'utf8')).to.match(/^beemesh-network-key-v1 home [0-9a-f]{64}\n$/)
  })

  it('is made once, and not mistaken for one with another name', async () => {
    const path = join(folder, 'network.key')
    const first = await loadOrCreateNetworkKey(path, 'home')
    const second = await loadOrCreateNetworkKey(path, 'home')

    expect([first.created, second.created]).to.deep.equal([true, false])
    expect(second.network.id).to.deep.equal(first.network.id)
    expect(await codeOfAsync(() => loadOrCreateNetworkKey(path, 'work'))).to.equal('NETWORK_NAME_INVALID')
  })

  it('is put under the passphrase of the node that reads it, and made under it where it is missing', async () => {
    const path = join(folder, 'network.key')
    const { network } = await loadOrCreateNetworkKey(path, 'home')
    const clear = await readFile(path, 'utf8')
    const again = await loadOrCreateNetworkKey(path, 'home', 'open sesame')
    const text = await readFile(path, 'utf8')

    expect([again.created, again.network.id]).to.deep.equal([false, network.id])
    expect(text).to.match(/^\{"beemesh-encrypted":1,/)
    expect(text).not.to.contain(clear.trim().split(' ')[2])
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    expect((await loadNetworkKey(path, async () => 'open sesame')).id).to.deep.equal(network.id)
    await loadOrCreateNetworkKey(join(folder, 'new.key'), 'home', 'open sesame')
    expect(await readFile(join(folder, 'new.key'), 'utf8')).to.match(/^\{"beemesh-encrypted":1,/)
  })

  it('stays as it is when the passphrase is wrong or missing, or it is of another network', async () => {
    const path = join(folder, 'network.key')
    await loadOrCreateNetworkKey(path, 'home')
    const clear = await readFile(path, 'utf8')
    const other = () => loadOrCreateNetworkKey(path, 'work', 'open sesame')
    expect(await codeOfAsync(other)).to.equal('NETWORK_NAME_INVALID')
    expect(await readFile(path, 'utf8')).to.equal(clear)
    await loadOrCreateNetworkKey(path, 'home', 'open sesame')
    const before = await readFile(path, 'utf8')

    expect(await codeOfAsync(() => loadNetworkKey(path))).to.equal('PASSPHRASE_NEEDED')
    expect(await codeOfAsync(() => loadOrCreateNetworkKey(path, 'home'))).to.equal('PASSPHRASE_NEEDED')
    const barley = () => loadOrCreateNetworkKey(path, 'home', 'open barley')
    expect(await codeOfAsync(barley)).to.equal('PASSPHRASE_WRONG')
    expect(await readFile(path, 'utf8')).to.equal(before)
  })

  it('is refused from a file that others can read, or that holds something else', async () => {
    const path = join(folder, 'network.key')
    await writeFile(path, 'beemesh-network-key-v1 home 1234\n', { mode: 0o600 })
    expect(await codeOfAsync(() => loadNetworkKey(path))).to.equal('IDENTITY_FILE_INVALID')
    await chmod(path, 0o644)
    expect(await codeOfAsync(() => loadNetworkKey(path))).to.equal('IDENTITY_FILE_UNSAFE')
  })

  it('is not one without 32 bytes of secret', () => {
    expect(codeOf(() => privateNetwork('a', SECRET.subarray(1)))).to.equal('NETWORK_SECRET_INVALID')
  })
})

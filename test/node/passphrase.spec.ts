import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type ConfigInput, withDefaults } from '../../src/config/index.ts'
import { changeSecretFile, loadSigningKey } from '../../src/identity/index.ts'
import { openDataDir } from '../../src/node/data/data-dir.ts'
import { codeOfAsync } from '../envelope/fixtures.ts'

describe('node: keys under a passphrase', () => {
  let dir: string
  let passphraseFile: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'bmo-'))
    passphraseFile = join(dir, 'passphrase')
    await writeFile(passphraseFile, 'open sesame\n', { mode: 0o600 })
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  const open = (more: ConfigInput = {}) =>
    openDataDir(
      withDefaults(
        { dataDir: join(dir, 'node'), identity: join(dir, 'identity'), network: 'own', ...more },
        {}
      )
    )
  const texts = () =>
    Promise.all(['node.key', 'sealing.key'].map((name) => readFile(join(dir, 'node', name), 'utf8')))

  it('are encrypted by the first start that has one, and stay the same keys', async () => {
    const before = await open()
    const data = await open({ passphraseFile })
    for (const text of await texts()) expect(text).to.match(/^\{"beemesh-encrypted":1,/)

    expect(data.key.peerId).to.equal(before.key.peerId)
    expect(data.sealingKeys.current).to.deep.equal(before.sealingKeys.current)
    expect((await open({ passphraseFile })).key.peerId).to.equal(before.key.peerId)
  })

  it('are made encrypted on a first start with one, and stay so when the sealing key is replaced', async () => {
    const { sealingKeys } = await open({ passphraseFile })
    await sealingKeys.rotate()
    for (const text of await texts()) expect(text).to.match(/^\{"beemesh-encrypted":1,/)

    expect((await open({ passphraseFile })).sealingKeys.current.epoch).to.equal(2)
  })

  it('are not opened without it, nor with another one, and nothing is lost by that', async () => {
    await open({ passphraseFile })
    const before = await texts()
    expect(await codeOfAsync(() => open())).to.equal('PASSPHRASE_NEEDED')
    await writeFile(passphraseFile, 'open barley\n')
    expect(await codeOfAsync(() => open({ passphraseFile }))).to.equal('PASSPHRASE_WRONG')

    expect(await texts()).to.deep.equal(before)
  })

  it('the key of a private network goes under it as well, and no node starts without it then', async () => {
    const file = join(dir, 'network.key')
    const privately = { network: undefined, networkKey: file }
    const before = await open(privately)
    expect(await readFile(file, 'utf8')).to.match(/^beemesh-network-key-v1 /)
    const data = await open({ ...privately, passphraseFile })

    expect(await readFile(file, 'utf8')).to.match(/^\{"beemesh-encrypted":1,/)
    expect(data.network.id).to.deep.equal(before.network.id)
    expect((await open({ ...privately, passphraseFile })).network.id).to.deep.equal(before.network.id)
    const other = { ...privately, dataDir: join(dir, 'second') }
    expect(await codeOfAsync(() => open(other))).to.equal('PASSPHRASE_NEEDED')
    expect((await open({ ...other, passphraseFile })).network.id).to.deep.equal(before.network.id)
  })

  it('a first start whose owner is under a passphrase it does not have begins nothing', async () => {
    await open({ dataDir: join(dir, 'other') })
    await changeSecretFile(join(dir, 'identity'), { to: 'encrypted', passphrase: async () => 'open sesame' })
    expect(await codeOfAsync(() => open())).to.equal('PASSPHRASE_NEEDED')
    const { owners } = await open({ passphraseFile })

    const key = await loadSigningKey(join(dir, 'identity'), async () => 'open sesame')
    expect([...owners]).to.deep.equal([key.peerId])
  })

  it('a later start runs without the key of its owner that it cannot open', async () => {
    const { owners } = await open()
    await changeSecretFile(join(dir, 'identity'), { to: 'encrypted', passphrase: async () => 'open sesame' })

    expect([...(await open()).owners]).to.deep.equal([...owners])
  })
})

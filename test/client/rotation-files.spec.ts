import { link, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { exchangeKeys, noteWaiting, openRotation } from '../../src/client/index.ts'
import { changeSecretFile, loadOrCreateSigningKey, loadSigningKey } from '../../src/identity/index.ts'

const none = async () => undefined
const NODE = { node: 'bert', peerId: '12D3KooW' }

describe('client: files of a rotated identity', () => {
  let folder: string
  let identity: string
  let old: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'beemesh-rotate-'))
    identity = join(folder, 'identity')
    old = (await loadOrCreateSigningKey(identity)).key.peerId
  })
  afterEach(() => rm(folder, { recursive: true }))

  const open = (again = false) => openRotation(identity, { passphrase: none, again })
  const present = async () => (await loadSigningKey(identity)).peerId

  it('hold the new key before anybody is told, and it is the same when the command is run again', async () => {
    const first = await open()
    const second = await open()

    expect(await present()).to.equal(old)
    expect(second.next.peerId).to.equal(first.next.peerId)
    expect([first.exchanged, second.exchanged]).to.deep.equal([false, false])
  })

  it('are exchanged in one step, the old one kept; those to be told are found again', async () => {
    const rotation = await open()
    await exchangeKeys(identity, rotation, [NODE])
    const again = await open()

    expect(await present()).to.equal(rotation.next.peerId)
    expect((await loadSigningKey(rotation.backup)).peerId).to.equal(old)
    expect([again.old.peerId, again.next.peerId]).to.deep.equal([old, rotation.next.peerId])
    expect([again.exchanged, again.waiting]).to.deep.equal([true, [NODE]])
  })

  it('are mended when the machine stopped before the exchange was done', async () => {
    const rotation = await open()
    await link(identity, rotation.backup)
    await noteWaiting(identity, rotation.backup, [NODE])
    const again = await open()
    expect([again.exchanged, again.next.peerId]).to.deep.equal([false, rotation.next.peerId])
    await exchangeKeys(identity, again, [])

    expect(await present()).to.equal(rotation.next.peerId)
    expect((await loadSigningKey(rotation.backup)).peerId).to.equal(old)
  })

  it('begin with another key when nobody is waiting, or when that is asked for', async () => {
    const first = await open()
    await exchangeKeys(identity, first, [NODE])
    expect((await open(true)).old.peerId).to.equal(first.next.peerId)
    await noteWaiting(identity, first.backup, [])
    const next = await open()

    expect([next.old.peerId, next.exchanged]).to.deep.equal([first.next.peerId, false])
  })

  it('tell of the present key in place of any earlier one, for a node that turns up late', async () => {
    const first = await open()
    await exchangeKeys(identity, first, [])
    await noteWaiting(identity, first.backup, [])
    const late = await openRotation(identity, { passphrase: none, from: first.backup })

    expect([late.old.peerId, late.next.peerId, late.exchanged]).to.deep.equal([old, first.next.peerId, true])
  })

  it('keep in mind who is waiting for another rotation meanwhile', async () => {
    const first = await open()
    await exchangeKeys(identity, first, [])
    const second = await open()
    await exchangeKeys(identity, second, [NODE])
    const late = await openRotation(identity, { passphrase: none, from: first.backup })

    expect([late.isNoted, late.waiting]).to.deep.equal([false, []])
    expect((await open()).waiting).to.deep.equal([NODE])
  })

  it('stay under the passphrase of the old key', async () => {
    const passphrase = async () => 'open sesame'
    await changeSecretFile(identity, { to: 'encrypted', passphrase })
    const rotation = await openRotation(identity, { passphrase })
    await exchangeKeys(identity, rotation, [])

    for (const file of [identity, rotation.backup])
      expect(await readFile(file, 'utf8')).to.match(/^\{"beemesh-encrypted"/)
    expect((await loadSigningKey(identity, passphrase)).peerId).to.equal(rotation.next.peerId)
  })
})

import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { newPassphraseOf, passphraseOf, type Terminal } from '../../src/cli/passphrase.ts'
import { loadNetworkKey, loadOrCreateNetworkKey } from '../../src/identity/index.ts'
import { codeOfAsync } from '../envelope/fixtures.ts'
import { expectDone, expectFailure } from '../fixtures/cli-schemas.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { createTestHome, type TestHome } from '../fixtures/test-home.ts'

describe('cli: a key under a passphrase', () => {
  let home: TestHome
  before(async () => {
    home = await createTestHome()
  })
  after(() => home?.close())

  const cli = (args: string[], passphrase?: string) =>
    runCli([...args, '-o', 'json'], {
      env: { ...home.env, ...(passphrase === undefined ? {} : { BEEMESH_PASSPHRASE: passphrase }) }
    })

  it('is asked for by every command from then on, and never shown', async function () {
    this.timeout(30_000)
    const { peerId } = expectDone(await cli(['identity', 'show']), 'identity')
    const encrypted = await cli(['identity', 'encrypt'], 'open sesame')
    expect(expectDone(encrypted, 'identity-encrypt')).to.include({ encrypted: true, changed: true })
    const refused = await cli(['identity', 'show'])
    expectFailure(refused, 2, 'PASSPHRASE_NEEDED')
    const wrong = await cli(['identity', 'export'], 'open barley')
    expectFailure(wrong, 3, 'PASSPHRASE_WRONG')
    for (const { stdout, stderr } of [encrypted, refused, wrong])
      expect(stdout + stderr).not.to.match(/sesame|barley/)
    expect(expectDone(await cli(['identity', 'show'], 'open sesame'), 'identity').peerId).to.equal(peerId)
    expectDone(await cli(['identity', 'decrypt'], 'open sesame'), 'identity-encrypt')
    expect(expectDone(await cli(['identity', 'show']), 'identity').peerId).to.equal(peerId)
  })

  it('covers the network key that lies beside it, also when the key was encrypted before that one was there', async function () {
    this.timeout(60_000)
    const file = join(home.env.XDG_CONFIG_HOME!, 'beemesh', 'network.key')
    const encrypt = (passphrase: string) => cli(['identity', 'encrypt'], passphrase)
    await encrypt('open sesame')
    const { network } = await loadOrCreateNetworkKey(file, 'home')
    expectFailure(await encrypt('open barley'), 3, 'PASSPHRASE_WRONG')
    expect((await loadNetworkKey(file)).id, 'nothing was changed').to.deep.equal(network.id)

    const again = expectDone(await encrypt('open sesame'), 'identity-encrypt')
    expect(again).to.deep.include({ changed: false, networkKey: { file, changed: true } })
    expect(await readFile(file, 'utf8')).to.match(/^\{"beemesh-encrypted":1,/)
    const clear = expectDone(await cli(['identity', 'decrypt'], 'open sesame'), 'identity-encrypt')
    expect(clear).to.deep.include({ changed: true, encrypted: false, networkKey: { file, changed: true } })
    expect((await loadNetworkKey(file)).id).to.deep.equal(network.id)
    await rm(file)
  })

  /** Somebody who types. */
  function terminal(): Terminal & {
    readonly raw: boolean[]
    readonly shown: () => string
    type(text: string): void
  } {
    const stream = new PassThrough()
    const raw: boolean[] = []
    const setRawMode = (on: boolean) => {
      raw.push(on)
      return input
    }
    const input = Object.assign(stream, { isTTY: true, setRawMode }) as never
    const written: string[] = []
    const output = { write: (text: string) => written.push(text) > 0 }
    return { input, output, raw, shown: () => written.join(''), type: (text) => void stream.write(text) }
  }

  it('is typed at a terminal without being shown, and may be corrected', async () => {
    const at = terminal()
    const asked = passphraseOf({}, at)('/a/key')
    await until(() => at.raw.length === 1)
    at.type('open sesamö')
    at.type('\x7fe\r')

    expect(await asked).to.equal('open sesame')
    expect(at.shown()).to.equal('passphrase of /a/key: \n')
    expect(at.raw).to.deep.equal([true, false])
  })

  it('is typed twice where it is new, and refused when the two differ', async () => {
    const answer = async (...lines: string[]) => {
      const at = terminal()
      const asked = newPassphraseOf({}, at)('/a/key')
      for (const [index, line] of lines.entries()) {
        await until(() => at.raw.length === 2 * index + 1)
        at.type(line)
      }
      return asked
    }
    expect(await answer('one\n', 'one\n')).to.equal('one')
    expect(await codeOfAsync(() => answer('one\n', 'two\n'))).to.equal('USAGE')
    expect(await codeOfAsync(() => answer('\n'))).to.equal('PASSPHRASE_INVALID')
    expect(await codeOfAsync(() => answer('on\x03'))).to.equal('INTERRUPTED')
  })

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve))
  }
})

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { generateSigningKey } from '../../src/identity/index.ts'
import { addOwners, readOwners, TrustError } from '../../src/trust/index.ts'

describe('trust: the owners file', () => {
  let folder: string
  let path: string
  const [anna, bert] = [generateSigningKey().peerId, generateSigningKey().peerId]
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bmo-'))
    path = join(folder, 'owners')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('is an empty set when it is missing', async () => {
    expect(await readOwners(path)).to.deep.equal(new Set())
  })

  it('keeps what a person wrote, and adds each owner once', async () => {
    await writeFile(path, `# mine\n${anna} # the laptop\n\n`)
    const owners = await addOwners(path, [bert, anna, bert])
    expect(owners).to.deep.equal(new Set([anna, bert]))
    expect(await readFile(path, 'utf8')).to.match(
      new RegExp(`^# mine\\n${anna} # the laptop\\n\\n?${bert}\\n$`)
    )
    expect(await readOwners(path)).to.deep.equal(owners)
  })

  it('is readable for its user alone when it is made here', async () => {
    await addOwners(path, [anna])
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    expect(await readFile(path, 'utf8')).to.match(/^# /)
  })

  it('is not touched when nothing is new', async () => {
    await writeFile(path, `${anna}\n`)
    const { mtimeMs, ino } = await stat(path)
    await addOwners(path, [anna])
    expect(await stat(path)).to.include({ mtimeMs, ino })
  })

  it('is refused with the line number when a line is no peer ID', async () => {
    await writeFile(path, `${anna}\nsomebody\n`)
    const error = await readOwners(path).then(
      () => expect.fail('it was read'),
      (thrown: unknown) => thrown
    )
    expect(error).to.be.instanceOf(TrustError).and.to.include({ code: 'OWNERS_FILE_INVALID' })
    expect((error as TrustError).message)
      .to.include(`${path}:2`)
      .and.to.include('"somebody"')
  })
})

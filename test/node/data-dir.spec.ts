import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openPrivateFolder } from '../../src/node/data/data-dir.ts'

describe('node: its folder', () => {
  let path: string
  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'bmd-')), 'data')
  })
  afterEach(() => rm(join(path, '..'), { recursive: true, force: true }))
  const mode = async () => (await stat(path)).mode & 0o777

  it('is made for nobody else, and an empty one is made so', async () => {
    await openPrivateFolder(path)
    expect(await mode()).to.equal(0o700)
    await chmod(path, 0o755)
    await openPrivateFolder(path)
    expect(await mode()).to.equal(0o700)
  })

  it('is refused when others can read what is in it, with what to do', async () => {
    await mkdir(path, { recursive: true })
    await writeFile(join(path, 'node.key'), 'secret', { mode: 0o600 })
    await chmod(path, 0o750)
    const error = await openPrivateFolder(path).catch((thrown) => thrown)
    expect(error).to.include({ code: 'DATA_DIR_UNSAFE', hint: `chmod 700 ${path}` })
    await chmod(path, 0o700)
    await openPrivateFolder(path)
  })
})

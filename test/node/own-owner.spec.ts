import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type ConfigInput, withDefaults } from '../../src/config/index.ts'
import { generateSigningKey, loadOrCreateSigningKey } from '../../src/identity/index.ts'
import { openDataDir } from '../../src/node/data/data-dir.ts'
import { policyFor } from '../../src/node/policy.ts'

describe("node: who is the machine's own owner, and who a guest", () => {
  const guest = generateSigningKey().peerId
  let dir: string
  let own: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'bmo-'))
    const { owners } = await open()
    own = [...owners][0]!
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  const path = (name: string) => join(dir, name)
  const open = (more: ConfigInput = {}) =>
    openDataDir(
      withDefaults({ dataDir: path('node'), identity: path('identity'), network: 'own', ...more }, {})
    )

  it('is the identity of the first start; owners that are added are guests', async () => {
    const data = await open({ owners: [guest] })
    expect([...data.owners]).to.have.members([own, guest])
    expect([...data.own]).to.deep.equal([own])
  })

  it('stays so when its key is gone and a guest stands first in the owners file', async () => {
    await rename(path('identity'), path('elsewhere'))
    await writeFile(path('node/owners'), `${guest}\n${own}\n`)
    expect([...(await open()).own]).to.deep.equal([own])
  })

  it('is nobody else when it no longer stands in the owners file', async () => {
    await writeFile(path('node/owners'), `${guest}\n`)
    expect([...(await open()).own]).to.deep.equal([])
  })

  it('is the identity of this start too, where that is an owner', async () => {
    const { key } = await loadOrCreateSigningKey(path('second'))
    expect([...(await open({ identity: path('second') })).own], 'a stranger').to.deep.equal([own])
    const data = await open({ identity: path('second'), owners: [key.peerId] })
    expect([...data.own]).to.have.members([own, key.peerId])
  })

  it('is nobody where nothing says who started the node first and its key is not there', async () => {
    await rename(path('identity'), path('elsewhere'))
    await rm(path('node/own-owner'))
    expect([...(await open()).own]).to.deep.equal([])
  })

  it('is whoever took the place of the one that was, also where the old key is still named in the configuration', async () => {
    const { peerId } = generateSigningKey()
    const data = await open()
    await data.changeOwners({ add: [peerId], remove: [], succession: { from: own, to: peerId } })
    await data.changeOwners({ add: [], remove: [own] })
    expect([...data.own]).to.include(peerId)
    await rename(path('identity'), path('elsewhere'))
    const again = await open({ owners: [own] })

    expect([...again.owners]).to.deep.equal([peerId])
    expect([...again.own]).to.deep.equal([peerId])
    expect(again.memberships, 'the old one made it a member').to.deep.equal([])
  })

  it('writes the file for nobody else to read', async () => {
    expect(await readFile(path('node/own-owner'), 'utf8')).to.equal(`${own}\n`)
    expect((await stat(path('node/own-owner'))).mode & 0o777).to.equal(0o600)
  })

  it('decides which policy holds, open for own and strict for others unless the configuration says otherwise', () => {
    const of = (config: ConfigInput) => {
      const policy = policyFor(withDefaults(config, {}), new Set([own]))
      return [own, guest].map((owner) => {
        const { preset, source, secretsInEnvironment } = policy(owner)
        return `${preset} ${source} ${secretsInEnvironment}`
      })
    }
    expect(of({})).to.deep.equal(['open policy.own true', 'strict policy.others true'])
    expect(of({ policy: { others: 'baseline' } })).to.deep.equal([
      'open policy.own true',
      'baseline policy.others true'
    ])
    expect(of({ secretsInEnvironment: false })).to.deep.equal([
      'open policy.own false',
      'strict policy.others false'
    ])
  })
})

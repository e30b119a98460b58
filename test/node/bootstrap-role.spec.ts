import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ConfigInput } from '../../src/config/index.ts'
import { generateSigningKey } from '../../src/identity/index.ts'
import { createNode } from '../../src/node/index.ts'
import { createLogger } from '../../src/telemetry/index.ts'

describe('node: the bootstrap role', () => {
  let path: string
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'bmn-'))
  })
  afterEach(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))

  const create = async (config: ConfigInput) => {
    const place = {
      name: 'b1',
      network: 'roles',
      dataDir: join(path, 'data'),
      identity: join(path, 'identity')
    }
    const node = await createNode(
      { ...place, ...config },
      { logger: createLogger('silent'), runtimeDir: join(path, 'run') }
    )
    await node.start()
    await node.stop()
    return node
  }

  it('makes no identity when it is told its owners, and obeys only those', async () => {
    const { peerId } = generateSigningKey()
    const node = await create({ role: 'bootstrap', owners: [peerId] })
    expect(node.owners).to.deep.equal([peerId])
    expect(node.created).to.deep.equal(['node'])
    expect(existsSync(join(path, 'identity'))).to.equal(false)
  })

  it('makes one when it is told of nobody, as any first node does', async () => {
    const node = await create({ role: 'bootstrap' })
    expect(node.created).to.deep.equal(['node', 'identity'])
    expect(node.owners).to.have.length(1)
  })

  it('has no engine, even where one is asked for', async () => {
    const node = await create({ role: 'bootstrap', engine: 'mock' })
    expect(node).to.include({ role: 'bootstrap', engine: 'none' })
  })
})

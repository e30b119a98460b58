import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { expectDone } from '../fixtures/cli-schemas.ts'
import { NodeProcess } from '../fixtures/node-process.ts'
import { runCli } from '../fixtures/run-cli.ts'
import { createTestHome, type TestHome } from '../fixtures/test-home.ts'

describe('cli: where a node takes its settings from', () => {
  let home: TestHome
  before(async () => {
    home = await createTestHome()
  })
  after(() => home?.close())

  it('the file gives way to the environment, which gives way to flags', async () => {
    const config = join(home.path, 'node.yaml')
    await writeFile(config, 'labels: { zone: file, disk: ssd }\nscheduling: false\nnetwork: from-file\n')
    const env = { ...home.env, BEEMESH_NETWORK: 'from-env', BEEMESH_LABELS: 'zone=env' }
    const args = [
      '--config',
      config,
      '--label',
      'zone=flag',
      '--label',
      'rack=7',
      '--taint',
      'gpu:NoSchedule'
    ]
    const node = new NodeProcess({ home, name: 'layered', env, args, network: [] })
    await node.start()
    expect(node.ready).to.include({ name: 'layered', network: 'from-env', engine: 'mock' })
    const result = await runCli(['get', 'nodes', '-o', 'json'], { env: home.env })
    const { nodes } = expectDone(result, 'get-nodes')
    expect(nodes[0].labels).to.deep.equal({ zone: 'flag', rack: '7', 'taint.beemesh.io/gpu': ':NoSchedule' })
    expect(nodes[0].scheduling).to.equal(false)
  })
})

import { createServer } from 'node:net'
import { defaultLogger } from '@libp2p/logger'
import { expect } from 'chai'
import { type NodeMetrics, openMetrics } from '../../src/telemetry/index.ts'

describe('telemetry: metrics', () => {
  let metrics: NodeMetrics
  beforeEach(async () => {
    metrics = await openMetrics()
  })
  afterEach(() => metrics.close())

  it('answer GET /metrics with what was counted, and nothing else', async () => {
    const counters = metrics
      .libp2p({ logger: defaultLogger() })
      .registerCounterGroup('beemesh_test_total', { label: 'reason', help: 'a test' })
    counters.increment({ late: 2 })
    const address = await metrics.listen('127.0.0.1:0')
    const answer = await fetch(`http://${address}/metrics`)
    expect(answer.status).to.equal(200)
    const text = await answer.text()
    expect(text).to.contain('beemesh_test_total{reason="late"} 2')
    expect(text).to.contain('process_resident_memory_bytes')
    expect((await fetch(`http://${address}/`)).status).to.equal(404)
    expect((await fetch(`http://${address}/metrics`, { method: 'POST' })).status).to.equal(404)
  })

  it('say which address is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    try {
      const error = await metrics.listen(`127.0.0.1:${port}`).catch((thrown) => thrown)
      expect(error).to.include({ code: 'METRICS_UNAVAILABLE' })
      expect(error.details).to.deep.equal({ address: `127.0.0.1:${port}`, why: 'EADDRINUSE' })
    } finally {
      other.close()
    }
  })

  it('of two nodes in one process are apart', async () => {
    const other = await openMetrics()
    for (const one of [metrics, other])
      one.libp2p({ logger: defaultLogger() }).registerCounter('beemesh_same_total', { help: 'same name' })
    expect(await other.text()).to.contain('beemesh_same_total 0')
    await other.close()
  })
})

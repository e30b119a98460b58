import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ComponentLogger, Metrics } from '@libp2p/interface'
import { TelemetryError } from './errors.ts'

/** Scrapers at once. Chosen: one, a second one, and a person. */
const MAX_CONNECTIONS = 8
/** A scrape, from its first byte to its last, ms. Chosen: Prometheus itself gives up after 10 s. */
const REQUEST_TIMEOUT_MS = 10_000

export interface NodeMetrics {
  /** For `createLibp2p({ metrics })`. */
  readonly libp2p: (components: { logger: ComponentLogger }) => Metrics
  /**
   * Serves `GET /metrics` in Prometheus' text format.
   * @param address HOST:PORT; an IPv6 host in brackets; port 0: any
   * @returns the address it listens on
   * @throws TelemetryError METRICS_UNAVAILABLE
   */
  listen(address: string): Promise<string>
  text(): Promise<string>
  close(): Promise<void>
}

/** What a node counts, for Prometheus. Loaded only where it is asked for, because its libraries cost memory that an idle node does not have. */
export async function openMetrics(): Promise<NodeMetrics> {
  const [{ Registry }, { prometheusMetrics }] = await Promise.all([
    import('prom-client'),
    import('@libp2p/prometheus-metrics')
  ])
  const registry = new Registry() // its own, because several nodes may share a process
  let server: Server | undefined
  const text = () => registry.metrics()
  return {
    libp2p: prometheusMetrics({ registry, collectDefaultMetrics: true }),
    text,
    async listen(address) {
      server = createServer((request, response) => {
        if (request.url !== '/metrics' || !['GET', 'HEAD'].includes(request.method ?? ''))
          return end(response, 404, 'GET /metrics\n')
        text().then(
          (body) => end(response, 200, body),
          () => end(response, 500, 'the metrics cannot be read\n')
        )
      })
      server.maxConnections = MAX_CONNECTIONS
      server.requestTimeout = REQUEST_TIMEOUT_MS
      await bind(server, address)
      const { address: host, port, family } = server.address() as AddressInfo
      return family === 'IPv6' ? `[${host}]:${port}` : `${host}:${port}`
    },
    async close() {
      const closing = server
      server = undefined
      registry.clear()
      if (closing === undefined) return
      closing.closeAllConnections()
      await new Promise((resolve) => closing.close(resolve))
    }
  }
}

function end(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body)
}

async function bind(server: Server, address: string): Promise<void> {
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host, port: Number(port) }, resolve)
  try {
    await promise
  } catch (cause) {
    throw new TelemetryError('METRICS_UNAVAILABLE', `metrics cannot be served at ${address}`, {
      cause,
      details: { address, why: (cause as NodeJS.ErrnoException).code },
      hint: 'Choose another address with --metrics HOST:PORT.'
    })
  }
}

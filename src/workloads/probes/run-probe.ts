import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { timeoutSignal } from '../../common/index.ts'
import type { ContainerProbe } from '../../manifest/index.ts'
import type { RuntimeEngine } from '../../runtime/index.ts'

export interface ProbeTarget {
  readonly engine: RuntimeEngine
  readonly workloadId: string
  /** IP of the pod; probes of ports fail without one. */
  readonly address: string | undefined
}

/** Whether one probe succeeds now. Never throws: what goes wrong is "no". */
export async function runProbe(
  probe: ContainerProbe,
  target: ProbeTarget,
  signal: AbortSignal
): Promise<boolean> {
  const limit = AbortSignal.any([signal, timeoutSignal(probe.timeoutMs)])
  const { handler } = probe
  try {
    if (handler.type === 'exec') {
      const options = {
        container: probe.container,
        command: handler.command,
        onOutput: () => {},
        signal: limit
      }
      return (await target.engine.exec(target.workloadId, options)).exitCode === 0
    }
    if (target.address === undefined) return false
    if (handler.type === 'tcpSocket') return await connects(target.address, handler.port, limit)
    const status = await fetchStatus(target.address, handler, limit)
    return status >= 200 && status < 400 // as Kubernetes has it
  } catch {
    return false
  }
}

function connects(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal })
    const done = (result: boolean) => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

function fetchStatus(
  host: string,
  { port, path, scheme, headers }: Extract<ContainerProbe['handler'], { type: 'httpGet' }>,
  signal: AbortSignal
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const options = {
    host,
    port,
    path,
    signal,
    agent: false as const,
    // Kubernetes does not check certificates of probes either: the pod's own address is asked
    rejectUnauthorized: false,
    headers: {
      'user-agent': 'beemesh-probe',
      connection: 'close',
      ...Object.fromEntries(headers.map(({ name, value }) => [name, value]))
    }
  }
  const request = (scheme === 'HTTPS' ? httpsRequest : httpRequest)(options, (response) => {
    resolve(response.statusCode ?? 0)
    response.destroy() // because a body without end must not hold the probe
  })
  request.once('error', reject)
  request.end()
  return promise
}

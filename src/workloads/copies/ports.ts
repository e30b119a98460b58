import { createServer } from 'node:net'
import type { Manifest, PortAssignment } from '../../manifest/index.ts'
import { RuntimeError } from '../../runtime/index.ts'
import { WorkloadsError } from '../errors.ts'

/** Attempts to find a free port before giving up; each is one bind on this machine. Chosen. */
const MAX_ATTEMPTS = 200

/**
 * Gives every port of one copy a host port: the manifest's own, else a free one of the range.
 * @param taken host ports this node has given out already; the ones given now are added
 * @throws WorkloadsError NO_PORT_FREE; RuntimeError PORT_IN_USE when somebody listens on the manifest's own (TCP)
 */
export async function assignPorts(
  manifest: Manifest,
  {
    taken,
    range,
    publishAddress
  }: { taken: Set<number>; range: { first: number; last: number }; publishAddress: string }
): Promise<PortAssignment[]> {
  const assignments: PortAssignment[] = []
  for (const { containerPort, protocol, hostPort, hostIp } of manifest.ports) {
    const address = hostIp ?? publishAddress
    // because Podman's netavark first redirects the port and then finds it taken: whoever has it is cut off, for good
    if (hostPort !== undefined && protocol === 'TCP' && (await bindError(hostPort, address)) === 'EADDRINUSE')
      throw new RuntimeError('PORT_IN_USE', `host port ${hostPort} on ${address} is in use on this machine`, {
        details: { hostPort, hostIp: address },
        hint: 'Free it, or leave hostPort out and the node finds one.'
      })
    const port = hostPort ?? (await freePort(taken, range, address))
    taken.add(port)
    assignments.push({ containerPort, protocol, hostPort: port, hostIp: address })
  }
  return assignments
}

async function freePort(
  taken: Set<number>,
  range: { first: number; last: number },
  address: string
): Promise<number> {
  const size = range.last - range.first + 1
  const start = Math.floor(Math.random() * size) // because several nodes may share a machine and its range
  for (let attempt = 0; attempt < Math.min(size, MAX_ATTEMPTS); attempt++) {
    const port = range.first + ((start + attempt) % size)
    if (!taken.has(port) && (await canBind(port, address))) return port
  }
  throw new WorkloadsError('NO_PORT_FREE', `no free host port between ${range.first} and ${range.last}`, {
    details: { ...range },
    retryable: true
  })
}

async function canBind(port: number, host: string): Promise<boolean> {
  return (await bindError(port, host)) === undefined
}

/** Why a listener cannot be opened, such as EADDRINUSE. */
function bindError(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

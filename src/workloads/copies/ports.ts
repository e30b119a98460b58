import { createServer } from 'node:net'
import type { Manifest, PortAssignment } from '../../manifest/index.ts'
import { WorkloadsError } from '../errors.ts'

/** Attempts to find a free port before giving up; each is one bind on this machine. Chosen. */
const MAX_ATTEMPTS = 200

/**
 * Gives every port of one copy a host port: the manifest's own, else a free one of the range.
 * @param taken host ports this node has given out already; the ones given now are added
 * @throws WorkloadsError NO_PORT_FREE
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

function canBind(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { writePrivateFile } from '../../identity/index.ts'

const FILE = 'ports.json'

/**
 * Port 0 stands for the port that was free on the first start, so that others find the node again after a restart. When
 * somebody else has it meanwhile, a new one is taken.
 */
export async function rememberedListen(path: string, listen: readonly string[]): Promise<string[]> {
  const ports = await readFile(join(path, FILE), 'utf8').then(
    (text) => JSON.parse(text) as Record<string, number>,
    () => ({}) as Record<string, number>
  )
  return Promise.all(
    listen.map(async (address) => {
      const port = ports[address]
      if (port === undefined || !(await isFree(port, hostOf(address)))) return address
      return address.replace(/\/0$/, `/${port}`)
    })
  )
}

/** Keeps the ports that were chosen for addresses with port 0. */
export async function rememberPorts(
  path: string,
  listen: readonly string[],
  addresses: readonly string[]
): Promise<void> {
  const ports: Record<string, number> = {}
  for (const wanted of listen) {
    if (!wanted.endsWith('/tcp/0')) continue
    // 0.0.0.0 is announced as the addresses of the interfaces, all with the port that was bound
    const prefix = hostOf(wanted) === '0.0.0.0' ? '/ip4/' : wanted.replace(/\/0$/, '/')
    const bound = addresses.find((address) => address.startsWith(prefix) && !address.includes('/p2p-circuit'))
    const port = Number(/\/tcp\/(\d+)/.exec(bound ?? '')?.[1])
    if (Number.isInteger(port)) ports[wanted] = port
  }
  if (Object.keys(ports).length > 0)
    await writePrivateFile(join(path, FILE), JSON.stringify(ports), { replace: true })
}

function hostOf(multiaddr: string): string | undefined {
  return /^\/ip[46]\/([^/]+)\//.exec(multiaddr)?.[1]
}

function isFree(port: number, host: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host }, () => server.close(() => resolve(true)))
  })
}

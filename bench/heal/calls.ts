import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Call {
  readonly atMs: number
  readonly host: number
  /** When the copy's first process began, to a hundredth of a second. */
  readonly beganAtMs: number
}

function machineUptime(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
}

/** Hears every copy that has become ready, and from which host. */
export class Calls {
  readonly #calls: (Call & { readonly marker: string })[] = []
  readonly #server = createServer((request, response) => {
    const host = Number(request.socket.remoteAddress?.split('.').at(-1))
    const [, marker = '', up] = request.url!.split('/')
    const atMs = Date.now()
    const beganAtMs = atMs - 1_000 * (machineUptime() - Number(up))
    this.#calls.push({ atMs, host, beganAtMs, marker })
    response.end('noted')
    this.#heard()
  })
  #heard = () => {}

  /** @returns the port, on every address of this machine */
  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '0.0.0.0', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** Of copies that began then or later. */
  since(marker: string, fromMs: number): Call[] {
    return this.#calls.filter((call) => call.marker === marker && call.beganAtMs >= fromMs)
  }

  /** The first from another host than `not` after `fromMs`. @throws after the deadline */
  async next(
    marker: string,
    { fromMs, not, deadlineMs }: { fromMs: number; not: number; deadlineMs: number }
  ) {
    const find = () => this.since(marker, fromMs).find(({ host }) => host !== not)
    const { promise, resolve, reject } = Promise.withResolvers<Call>()
    const look = () => {
      const call = find()
      if (call !== undefined) resolve(call)
    }
    const timer = setTimeout(
      () => reject(new Error(`${marker}: no copy came back in ${deadlineMs} ms`)),
      deadlineMs
    )
    this.#heard = look
    look()
    return promise.finally(() => {
      clearTimeout(timer)
      this.#heard = () => {}
    })
  }
}

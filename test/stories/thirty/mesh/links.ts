import type { MultiaddrConnection, Transport, Upgrader } from '@libp2p/interface'
import type { TransportManager } from '@libp2p/interface-internal'
import type { BeemeshNode } from '../../../../src/node/index.ts'

/** One end of a connection, and what it would have sent or heard since the way is blocked. */
interface End {
  readonly local: string
  readonly remote: string
  readonly connection: MultiaddrConnection
  readonly held: (() => void)[]
  readonly heard: (() => void)[]
}

/** What a connection does that libp2p's own type does not show. */
interface Ways {
  sendData(data: { byteLength: number }): { sentBytes: number; canSendMore: boolean }
  sendClose(options?: unknown): Promise<void>
  sendReset(error: Error): void
  onData(data: unknown): void
}

/**
 * Who reaches whom. What is sent over a blocked way is held, in order, and arrives when it is open again, as TCP would have it: nobody is
 * told of a cut, and nothing is lost but time. Works beneath Noise and yamux, on every connection of the nodes that are {@link attach}ed.
 */
export class Links {
  readonly #blocked = new Set<string>()
  readonly #dead = new Set<string>()
  readonly #ends = new Set<End>()
  readonly #names = new Map<string, string>()
  readonly #outside: string
  readonly #onChange: () => void
  #waiting: (() => void)[] = []

  /** @param outside name of the one node that is not in this process: the only one that comes over TCP */
  constructor({ outside, onChange }: { outside: string; onChange: () => void }) {
    this.#outside = outside
    this.#onChange = onChange
  }

  name(peerId: string, name: string): void {
    this.#names.set(peerId, name)
  }

  isOpen(from: string, to: string): boolean {
    return !this.#blocked.has(`${from} ${to}`)
  }

  /** Both ways, between each of some and each of others. */
  cut(some: readonly string[], others: readonly string[]): void {
    for (const a of some)
      for (const b of others)
        if (a !== b) {
          this.#blocked.add(`${a} ${b}`)
          this.#blocked.add(`${b} ${a}`)
        }
    this.#onChange()
  }

  heal(some?: readonly string[], others: readonly string[] = []): void {
    if (some === undefined) this.#blocked.clear()
    for (const a of some ?? [])
      for (const b of others) for (const way of [`${a} ${b}`, `${b} ${a}`]) this.#blocked.delete(way)
    for (const end of this.#ends) this.#flush(end)
    for (const go of this.#waiting.splice(0)) go()
    this.#onChange()
  }

  /** The process is gone: whoever is connected hears of it at once, and nobody is let in or out. */
  die(name: string): void {
    this.#dead.add(name)
    this.forget(name)
  }

  /** Breaks what was connected before: a machine that was switched on anew knows nothing of it. */
  forget(name: string): void {
    for (const end of this.#ends)
      if (end.local === name || end.remote === name) {
        this.#ends.delete(end)
        end.held.length = 0
        end.connection.abort(new Error(`${name} is gone`))
      }
  }

  live(name: string): void {
    this.#dead.delete(name)
  }

  /** Before the node is started. */
  attach(node: BeemeshNode, memory: (components: never) => Transport): void {
    const local = node.name
    this.name(node.peerId, local)
    const { components } = node.libp2p as unknown as {
      components: { upgrader: Upgrader; transportManager: TransportManager }
    }
    const { upgrader, transportManager } = components
    for (const way of ['upgradeOutbound', 'upgradeInbound'] as const) {
      const upgrade = upgrader[way].bind(upgrader) as (connection: MultiaddrConnection, more: never) => never
      upgrader[way] = (async (connection: MultiaddrConnection, more: never) => {
        this.#take(local, connection)
        return upgrade(connection, more)
      }) as never
    }
    for (const transport of transportManager.getTransports())
      if (transport[Symbol.toStringTag] === '@libp2p/tcp') {
        const filter = transport.dialFilter.bind(transport)
        transport.dialFilter = (addresses) =>
          filter(addresses).filter((address) => this.#nameIn(address.toString()) === this.#outside)
      }
    transportManager.add(memory(components as never))
    const dial = transportManager.dial.bind(transportManager)
    transportManager.dial = async (address, options) => {
      const remote = this.#nameIn(address.toString())
      while (!this.isOpen(local, remote)) await this.#opened(options?.signal)
      return dial(address, options)
    }
  }

  #nameIn(address: string): string {
    return this.#names.get(address.slice(address.lastIndexOf('/') + 1)) ?? this.#outside
  }

  #opened(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason)
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting.push(resolve)
    })
  }

  #take(local: string, connection: MultiaddrConnection): void {
    const remote = this.#nameIn(connection.remoteAddr.toString())
    if (this.#dead.has(local) || this.#dead.has(remote)) throw new Error('nobody listens')
    const ways = connection as unknown as Ways
    const end: End = { local, remote, connection, held: [], heard: [] }
    this.#ends.add(end)
    connection.addEventListener('close', () => {
      // what it said last is still on its way when that way is blocked
      if (end.held.length === 0) this.#ends.delete(end)
    })
    const later = (way: 'held' | 'heard', act: () => void) => {
      const isOpen = way === 'held' ? this.isOpen(local, remote) : this.isOpen(remote, local)
      if (isOpen && end[way].length === 0) act()
      else if (this.#ends.has(end)) end[way].push(act)
    }
    const { sendData, sendClose, sendReset, onData } = ways
    ways.sendData = (data) => {
      later('held', () => void sendData.call(ways, data))
      return { sentBytes: data.byteLength, canSendMore: true }
    }
    ways.sendClose = async () => later('held', () => void sendClose.call(ways).catch(() => {}))
    ways.sendReset = (error) => later('held', () => sendReset.call(ways, error))
    // the node outside has no such end of its own
    if (remote === this.#outside) ways.onData = (data) => later('heard', () => onData.call(ways, data))
  }

  #flush(end: End): void {
    if (this.isOpen(end.local, end.remote)) for (const act of end.held.splice(0)) act()
    if (this.isOpen(end.remote, end.local)) for (const act of end.heard.splice(0)) act()
    if (end.connection.status !== 'open') this.#ends.delete(end)
  }
}

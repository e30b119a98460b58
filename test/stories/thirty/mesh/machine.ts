import { join } from 'node:path'
import { memory } from '@libp2p/memory'
import type { ConfigInput } from '../../../../src/config/index.ts'
import { formatManifestId } from '../../../../src/manifest/index.ts'
import { type BeemeshNode, createNode } from '../../../../src/node/index.ts'
import { EngineRegistry } from '../../../../src/runtime/index.ts'
import { createLogger } from '../../../../src/telemetry/index.ts'
import type { Links } from './links.ts'
import { type Copy, WatchedEngine } from './watched-engine.ts'

/** up: its node runs; left: it said goodbye; dead: its node was killed, what it ran goes on; off: no power; frozen: its node stands still. */
export type MachineState = 'up' | 'left' | 'dead' | 'off' | 'frozen'

/** What a node knows, for whoever must know whether that is true. */
export interface Knowledge {
  /** Copies it knows of. */
  readonly workloads: readonly string[]
  /** Versions it holds, as a runner or as a keeper, by manifest ID; a tombstone has none. */
  readonly versions: Readonly<Record<string, number>>
  /** The same with the rest of it, for people. */
  readonly said: Readonly<Record<string, string>>
  /** Names of members it is connected to and that it takes for alive. */
  readonly neighbours: readonly string[]
}

/** One of the thirty. */
export interface Machine {
  readonly name: string
  readonly peerId: string
  readonly state: MachineState
  /** Where others find it first. */
  readonly address: string
  copies(): readonly Copy[]
  /** Of its node, which must be up. */
  knows(): Promise<Knowledge>
  start(bootstrap: readonly string[]): Promise<void>
  /** In order, with a goodbye; what it runs goes on. */
  stop(): Promise<void>
  /** In silence, and with everything it runs. */
  powerOff(): Promise<void>
}

export interface MachineInit {
  readonly name: string
  /** Folder of the whole mesh. */
  readonly path: string
  readonly onChange: () => void
}

/** Settings that all thirty share. */
export function configOf(
  { name, path }: Pick<MachineInit, 'name' | 'path'>,
  bootstrap: readonly string[]
): ConfigInput {
  const alone = { mdns: false, relay: 'off', autonat: false, holePunching: false, upnp: false } as const
  const place = { name, dataDir: join(path, name), identity: join(path, 'identity') }
  return { engine: 'mock', network: 'thirty', bootstrap, logLevel: 'silent', ...place, ...alone }
}

export function knowledgeOf({ services }: BeemeshNode): Knowledge {
  const held = services.workloads.list()
  const versions: Record<string, number> = {}
  const note = (id: Uint8Array, version: number) => {
    const key = formatManifestId(id)
    versions[key] = Math.max(versions[key] ?? 0, version)
  }
  const said: Record<string, string> = {}
  const say = (id: Uint8Array, text: string) => {
    const key = formatManifestId(id)
    said[key] = `${said[key] ?? ''} ${text}`
  }
  for (const { manifestId, version, highest, tombstone, next } of held) {
    note(manifestId, version)
    say(
      manifestId,
      `${tombstone ? 'ran' : 'runs'} ${version % 100_000}${next === undefined ? '' : `, going to ${next.version % 100_000}`}${highest.version > version ? `, knows ${highest.version % 100_000}` : ''}`
    )
  }
  for (const { record } of services.scheduler.kept()) {
    if (!record.tombstone) note(record.manifestId, record.version)
    say(record.manifestId, `keeps ${record.version % 100_000}${record.tombstone ? ' (deleted)' : ''}`)
  }
  return {
    versions,
    said,
    workloads: held.flatMap(({ workloads, next }) =>
      [...workloads, ...(next?.workloads ?? [])].map(({ workloadId }) => workloadId)
    ),
    neighbours: services.members
      .list()
      .filter(({ self, connected, state }) => !self && connected && state === 'alive')
      .map(({ name }) => name)
  }
}

/** A node in this process, on the memory transport, and the engine of its machine. */
export class NodeMachine implements Machine {
  readonly name: string
  readonly #init: MachineInit & { readonly links: Links }
  readonly #engine: WatchedEngine
  #node: BeemeshNode | undefined
  #state: MachineState = 'off'
  #ending: Promise<unknown> = Promise.resolve()

  constructor(init: MachineInit & { readonly links: Links }) {
    this.name = init.name
    this.#init = init
    this.#engine = new WatchedEngine(init.name, init.onChange)
  }

  get peerId(): string {
    return this.node.peerId
  }

  get state(): MachineState {
    return this.#state
  }

  get address(): string {
    return `/memory/thirty-${this.name}/p2p/${this.peerId}`
  }

  /** The one that runs, or ran last. */
  get node(): BeemeshNode {
    if (this.#node === undefined) throw new Error(`${this.name} was never started`)
    return this.#node
  }

  copies(): readonly Copy[] {
    return [...this.#engine.copies.values()]
  }

  async knows(): Promise<Knowledge> {
    return knowledgeOf(this.node)
  }

  async start(bootstrap: readonly string[]): Promise<void> {
    if (this.#state === 'up') return
    await this.#ending // because one folder has one node
    const { links, path, onChange } = this.#init
    links.forget(this.name)
    links.live(this.name)
    const engines = new EngineRegistry()
    engines.register(this.#engine)
    const listen = [`/memory/thirty-${this.name}`, '/ip4/127.0.0.1/tcp/0']
    const node = await createNode(
      { ...configOf(this.#init, bootstrap), listen },
      { engines, runtimeDir: join(path, 'run'), logger: createLogger('silent') }
    )
    links.attach(node, memory() as never)
    await node.start()
    this.#node = node
    this.#state = 'up'
    onChange()
  }

  async stop(): Promise<void> {
    if (this.#state !== 'up') return
    this.#state = 'left'
    this.#ending = this.node.stop()
    await this.#ending
    this.#init.onChange()
  }

  /**
   * Its process is gone: connections break at once, nobody hears more of it, and what it runs goes on. What is left of it in this process is
   * put away unheard; a write to its disk that was under way may still be done.
   */
  kill(): void {
    if (this.#state !== 'up') return
    this.#state = 'dead'
    this.#init.links.die(this.name)
    this.#ending = this.node.stop().catch(() => {})
    this.#init.onChange()
  }

  /** {@link Links} must have cut it off before, so that nobody is told. */
  async powerOff(): Promise<void> {
    this.#state = 'off'
    this.#engine.powerOff()
    this.#ending = this.node.stop().catch(() => {})
  }
}

import {
  Client,
  findLocalNodes,
  loadSigningKey,
  localConnection,
  parseManifests,
  Session
} from '../../src/index.ts'
import type { Hosts } from '../../test/fixtures/hosts.ts'
import { Machine } from '../../test/fixtures/hosts-machine.ts'
import { until } from '../../test/fixtures/until.ts'
import { type Cluster, copyCommand, IMAGE, REPLICAS, type RunningCopy } from './cluster.ts'
import { type Line, readLines } from './steps.ts'

const START_DEADLINE_MS = 60_000
const ASK_TIMEOUT_MS = 4_000

/** A beemesh node with Podman on each host. */
export class Bees implements Cluster {
  readonly name = 'beemesh'
  readonly marker = 'copy-of-bees'
  readonly hosts: readonly number[]
  /** What nodes said about their decisions. */
  readonly lines: Line[] = []
  readonly #machines = new Map<number, Machine>()
  readonly #callPort: number

  constructor(hosts: Hosts, numbers: readonly number[], callPort: number) {
    this.hosts = numbers
    this.#callPort = callPort
    for (const host of numbers) {
      const machine = new Machine(hosts, host, `h${host}`)
      machine.onStderr = readLines(machine.name, (line) => this.lines.push(line))
      this.#machines.set(host, machine)
    }
  }

  async start(): Promise<void> {
    const [first, ...others] = this.hosts.map((host) => this.#machine(host))
    await first!.startNode(['--log-level', 'debug'])
    await Promise.all(others.map((machine) => first!.copyKeysTo(machine)))
    const join = ['--log-level', 'debug', '--bootstrap', first!.nodeAddress]
    await Promise.all(others.map((machine) => machine.startNode(join)))
    await until('until all have met', async () => (await this.#haveMet(this.hosts)) || undefined, {
      deadlineMs: START_DEADLINE_MS
    })
    const client = await this.client(this.hosts[0]!)
    const results = await client.apply(parseManifests(this.#manifest()))
    const failed = results.flatMap(({ placements }) => placements).find(({ error }) => error !== undefined)
    if (failed !== undefined) throw new Error(`not applied: ${JSON.stringify(failed)}`)
  }

  async copies(without?: number): Promise<RunningCopy[]> {
    const client = await this.client(this.hosts.find((host) => host !== without)!)
    const { placements } = await client.status('web', { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) })
    return placements
      .filter(({ state }) => state === 'running' || state === 'ready')
      .map(({ ordinal, node }) => ({ ordinal, host: Number(node.slice(1)) }))
  }

  async restart(host: number): Promise<void> {
    // any two others, as a person would name more than one way in
    const others = this.hosts.filter((one) => one !== host).slice(0, 2)
    const ways = others.flatMap((one) => ['--bootstrap', this.#machine(one).nodeAddress])
    await this.#machine(host).startNode(['--log-level', 'debug', ...ways])
  }

  async isWhole(hosts: readonly number[] = this.hosts): Promise<boolean> {
    if (!(await this.#haveMet(hosts))) return false
    for (const host of [hosts[0]!, hosts.at(-1)!]) {
      const client = await this.client(host)
      const { placements, unanswered = [] } = await client.status('web', {
        signal: AbortSignal.timeout(ASK_TIMEOUT_MS)
      })
      const runs = placements.filter(({ state }) => state === 'running' || state === 'ready')
      const ordinals = new Set(runs.map(({ ordinal }) => ordinal))
      if (unanswered.length > 0 || placements.length !== REPLICAS || ordinals.size !== REPLICAS) return false
    }
    return true
  }

  /** On the local socket of the node of a host. */
  async client(host: number): Promise<Client> {
    const machine = this.#machine(host)
    const local = await findLocalNodes(machine.runtimeDir)
    const entry = local.find(({ peerId }) => peerId === machine.ready.peerId)
    if (entry === undefined) throw new Error(`the node of ${machine.name} has left no word of itself`)
    const key = await loadSigningKey(`${machine.configDir}/identity`)
    return new Client({ session: new Session(key, localConnection(entry)), roots: [...entry.owners] })
  }

  async #haveMet(hosts: readonly number[]): Promise<boolean> {
    const all = await Promise.all(
      hosts.map(async (host) => {
        const client = await this.client(host)
        const nodes = await client.nodes({ signal: AbortSignal.timeout(ASK_TIMEOUT_MS) })
        return nodes.filter(({ connected, member, state }) => connected && member && state === 'alive')
      })
    )
    return all.every((nodes) => nodes.length === hosts.length)
  }

  #machine(host: number): Machine {
    return this.#machines.get(host)!
  }

  #manifest(): string {
    const labels = { app: 'web' }
    const container = {
      name: 'web',
      image: IMAGE,
      imagePullPolicy: 'IfNotPresent',
      command: copyCommand(this.marker, this.#callPort)
    }
    return JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', annotations: { 'beemesh.io/strategy': 'spread' } },
      spec: {
        replicas: REPLICAS,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { terminationGracePeriodSeconds: 1, containers: [container] }
        }
      }
    })
  }
}

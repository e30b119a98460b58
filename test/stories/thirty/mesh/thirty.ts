import { expect } from 'chai'
import { publicKeyFromPeerId } from '../../../../src/identity/index.ts'
import { parseManifestId } from '../../../../src/manifest/index.ts'
import { rank } from '../../../../src/scheduler/index.ts'
import type { WorkloadEvent } from '../../../../src/workloads/index.ts'
import { deployment } from '../../../fixtures/workload-files.ts'
import { SETTLE_MS, WHOLE_MS } from './deadlines.ts'
import { Invariants } from './invariants.ts'
import { Links } from './links.ts'
import { type Machine, NodeMachine } from './machine.ts'
import { OutsideMachine } from './outside.ts'
import type { Owner } from './owner.ts'
import { eventually, Lateness } from './patience.ts'
import { type Copy, REAL } from './watched-engine.ts'

const SIZE = 30
/** Nodes that each one dials first. */
const BOOTSTRAPS = 3
/** Thirty nodes, one of them a process of its own, their owner, and what must hold. */
export class Thirty {
  readonly path: string
  readonly links: Links
  readonly nodes: readonly NodeMachine[]
  readonly outside: OutsideMachine
  readonly machines: readonly Machine[]
  readonly owner: Owner
  readonly invariants: Invariants
  readonly lateness = new Lateness()
  #serial = 0

  constructor(path: string, owner: Owner) {
    this.path = path
    this.owner = owner
    const onChange = () => this.invariants?.check()
    const outside = `n${SIZE - 1}`
    this.links = new Links({ outside, onChange })
    const init = (index: number) => ({ name: `n${index}`, path, onChange, links: this.links })
    this.nodes = Array.from({ length: SIZE - 1 }, (_, index) => new NodeMachine(init(index)))
    this.outside = new OutsideMachine({ name: outside, path, onChange })
    this.machines = [...this.nodes, this.outside]
    this.invariants = new Invariants({
      machines: this.machines,
      links: this.links,
      owner,
      outside: this.outside,
      lateness: this.lateness
    })
  }

  async open(): Promise<void> {
    for (const machine of this.machines) await this.start(machine)
    await this.whole()
  }

  async close(): Promise<void> {
    this.links.heal()
    this.lateness.stop()
    await this.outside.powerOff()
    await Promise.allSettled(this.nodes.map((node) => node.stop()))
    for (const node of this.nodes) await node.powerOff()
  }

  /** @param options.skewMs of the one outside: what its clock is ahead */
  async start(machine: Machine, { skewMs = 0 }: { skewMs?: number } = {}): Promise<void> {
    const others = this.machines.filter((one) => one !== machine && one.state === 'up')
    // the one outside is reached over TCP only
    const first = others.slice(0, BOOTSTRAPS).map((one) => this.#addressFor(machine, one))
    await (machine === this.outside ? this.outside.start(first, { skewMs }) : machine.start(first))
    this.links.name(machine.peerId, machine.name)
  }

  #addressFor(machine: Machine, other: Machine): string {
    if (machine !== this.outside || !(other instanceof NodeMachine)) return other.address
    return other.node.addresses().find((address) => address.includes('/tcp/'))!
  }

  machine(name: string): Machine {
    return this.machines.find((machine) => machine.name === name)!
  }

  /** Cut off, and then without power: nobody hears of it. */
  async powerOff(machine: Machine): Promise<void> {
    const others = this.machines.filter((one) => one !== machine).map(({ name }) => name)
    this.links.cut([machine.name], others)
    await machine.powerOff()
  }

  /**
   * Opens what was cut, one machine after the other, each when the event loop has time: all at once is 400 handshakes on one loop, which is
   * then later than the 3.6 s in which a member must answer, so that 29 nodes confirm each other's silence with still more handshakes.
   */
  async heal(some: readonly string[], others: readonly string[]): Promise<void> {
    for (const one of some) {
      this.links.heal([one], others)
      await this.lateness.calm()
    }
  }

  async powerOn(machine: Machine): Promise<void> {
    this.links.forget(machine.name)
    this.links.heal(
      [machine.name],
      this.machines.map(({ name }) => name)
    )
    await this.start(machine)
  }

  /** Runs a Deployment of copies with a name of its own. @returns its name, its ID, and who keeps it, nearest first */
  async given(replicas: number, more: { to?: readonly string[]; entry?: Machine } = {}): Promise<Given> {
    const name = this.freshName()
    return this.#applied(deployment({ name, replicas }), name, more)
  }

  async #applied(
    document: object,
    name: string,
    { to, entry = this.nodes[0]! }: { to?: readonly string[]; entry?: Machine } = {}
  ): Promise<Given> {
    await this.lateness.calm()
    const { placements, manifestId } = await this.owner.apply(entry.peerId, document, { to })
    const failed = placements.find(({ error }) => error !== undefined)
    if (failed !== undefined) throw new Error(`given: ${JSON.stringify(failed)}`)
    return { name, id: manifestId, keepers: this.keepersOf(manifestId) }
  }

  /** A StatefulSet of one copy, fenced, with a real process for a real guard to kill. */
  async givenFenced(to: string): Promise<Given> {
    const name = this.freshName()
    const { metadata, spec } = deployment({ name, command: [REAL] }) as { metadata: object; spec: object }
    const document = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: { ...spec, serviceName: name }
    }
    return this.#applied(document, name, { to: [to] })
  }

  describe({ name, id, keepers }: Given): string {
    const runs = this.copiesOf(id).map(({ machine }) => machine)
    return `${name} on ${runs}, kept by ${keepers.map((keeper) => keeper.name)}`
  }

  freshName(): string {
    return `web-${++this.#serial}`
  }

  /** The five, nearest first. */
  keepersOf(id: string): Machine[] {
    const members = this.machines.map((machine) => ({
      peerId: machine.peerId,
      machine,
      publicKey: publicKeyFromPeerId(machine.peerId)
    }))
    return rank(parseManifestId(id)!, members)
      .slice(0, 5)
      .map(({ machine }) => machine)
  }

  copiesOf(id: string): Copy[] {
    return this.invariants.copies().filter(({ manifestId }) => manifestId === id)
  }

  /** Machines that run it. */
  runnersOf(id: string): Machine[] {
    return [...new Set(this.copiesOf(id).map(({ machine }) => machine))].map((name) => this.machine(name))
  }

  /** Those that neither run nor keep it, nor are the one outside. */
  bystanders(...given: readonly Given[]): NodeMachine[] {
    const parties = given.flatMap(({ id, keepers }) => [...keepers, ...this.runnersOf(id)])
    return this.nodes.filter((node) => !parties.includes(node))
  }

  /** So many distinct copies run on machines that are up, or on those of them that may. */
  replaced(
    id: string,
    replicas: number,
    withinMs: number,
    isCounted = (_: Machine) => true
  ): Promise<number> {
    return eventually(`${replicas} copies run`, withinMs, () => {
      const live = this.copiesOf(id).filter(({ machine }) => {
        const one = this.machine(machine)
        return one.state === 'up' && isCounted(one)
      })
      const ordinals = new Set(live.map(({ ordinal }) => ordinal))
      return ordinals.size === replicas
        ? undefined
        : `there are ${live.map(({ ordinal, machine }) => `${ordinal}@${machine}`).join(' ') || 'none'}`
    })
  }

  /** Resolves when some node but these has just taken a copy, on disk and with its keepers, and is about to start it. */
  taken(but: readonly Machine[] = []): Promise<void> {
    const nodes = this.nodes.filter((node) => node.state === 'up' && !but.includes(node))
    const workloads = nodes.map(({ node }) => node.services.workloads)
    return new Promise((resolve) => {
      const onWorkload = ({ detail }: CustomEvent<WorkloadEvent>) => {
        if (detail.type !== 'accepted') return
        for (const one of workloads) one.removeEventListener('workload', onWorkload)
        resolve()
      }
      for (const one of workloads) one.addEventListener('workload', onWorkload)
    })
  }

  /** Everybody sees everybody. */
  whole(): Promise<number> {
    return eventually('everybody sees everybody', WHOLE_MS, async () => {
      for (const machine of this.machines) {
        if (machine.state !== 'up') return `${machine.name} is ${machine.state}`
        const { neighbours } = await machine.knows()
        if (neighbours.length < SIZE - 1) {
          const missing = this.machines.filter((one) => one !== machine && !neighbours.includes(one.name))
          return `${machine.name} does not see ${missing.map(({ name }) => name)}`
        }
      }
      return undefined
    })
  }

  /** Everything is as its owner signed it. @returns how long that took, ms */
  async settled(withinMs = SETTLE_MS): Promise<number> {
    const tookMs = await eventually('all is as its owner signed it', withinMs, () =>
      this.invariants.unsettled()
    )
    expect(this.invariants.broken).to.deep.equal([])
    return tookMs
  }

  /** For the next story: everything is well, nothing runs, nothing was broken. */
  async leaveClean(): Promise<void> {
    this.links.heal()
    for (const machine of this.machines) if (machine.state !== 'up') await this.start(machine)
    await this.whole()
    for (const [id, { name, acknowledged, versions }] of this.owner.manifests) {
      const isGone = versions.get(acknowledged)?.tombstone === true || acknowledged === 0
      if (!isGone || this.copiesOf(id).length > 0) await this.owner.delete(this.nodes[0]!.peerId, name)
    }
    // what is deleted is not forgotten: a node that was in the middle of starting it may do so a moment later, and must undo it
    await this.settled()
  }
}

export interface Given {
  readonly name: string
  readonly id: string
  readonly keepers: readonly Machine[]
}

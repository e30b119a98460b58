import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Dockerode from 'dockerode'
import { execa } from 'execa'
import type { Hosts } from '../../test/fixtures/hosts.ts'
import { until } from '../../test/fixtures/until.ts'
import { type Cluster, copyCommand, IMAGE, REPLICAS, type RunningCopy } from './cluster.ts'

/** As Docker advises where one machine may be lost; with one, the loss of it would leave nobody to act. */
const MANAGERS = 3
const START_DEADLINE_MS = 60_000
/** Of all containers, beneath every controller; cgroups are the machine's, so they are cleared away at the end. */
const CGROUP = 'beemesh-bench-swarm'

interface SwarmNode {
  readonly ID: string
  readonly Status: { readonly State: string; readonly Addr: string }
  readonly ManagerStatus?: { readonly Reachability: string; readonly Leader?: boolean }
}

interface Task {
  readonly Slot: number
  readonly NodeID: string
  readonly Status: { readonly State: string }
}

/** Docker Swarm with a dockerd on each host, as it comes: no setting of it is changed. */
export class Swarm implements Cluster {
  readonly name = 'Docker Swarm'
  readonly marker = 'copy-of-swarm'
  readonly hosts: readonly number[]
  readonly #hosts: Hosts
  readonly #callPort: number
  #numbers = new Map<string, number>()

  constructor(hosts: Hosts, numbers: readonly number[], callPort: number) {
    this.#hosts = hosts
    this.hosts = numbers
    this.#callPort = callPort
  }

  /** Why there is none on this machine; undefined: there can be. */
  static async missing(): Promise<string | undefined> {
    const found = await execa('dockerd', ['--version'], { reject: false })
    return found.failed ? 'no dockerd here; "sh scripts/setup.sh --test" installs it' : undefined
  }

  async start(): Promise<void> {
    await Promise.all(this.hosts.map((host) => this.#startDaemon(host)))
    const archive = join(this.#hosts.dir, 'image.tar')
    for (const host of this.hosts) for await (const _ of await this.#docker(host).loadImage(archive));
    const [first, ...others] = this.hosts
    const address = (host: number) => this.#hosts.address(host)
    const init = { ListenAddr: '0.0.0.0:2377', AdvertiseAddr: address(first!) }
    await this.#docker(first!).swarmInit(init)
    const { JoinTokens } = (await this.#docker(first!).swarmInspect()) as {
      JoinTokens: { Manager: string; Worker: string }
    }
    for (const [index, host] of others.entries())
      await this.#docker(host).swarmJoin({
        ListenAddr: '0.0.0.0:2377',
        AdvertiseAddr: address(host),
        RemoteAddrs: [`${address(first!)}:2377`],
        JoinToken: index + 1 < MANAGERS ? JoinTokens.Manager : JoinTokens.Worker
      })
    for (const host of this.hosts) {
      const { Swarm } = (await this.#docker(host).info()) as { Swarm: { NodeID: string } }
      this.#numbers.set(Swarm.NodeID, host)
    }
    const whole = async () => (await this.#ready(this.hosts)) || undefined
    await until('until all are ready', whole, { deadlineMs: START_DEADLINE_MS })
    await this.#docker(first!).createService({
      Name: 'web',
      TaskTemplate: {
        ContainerSpec: { Image: IMAGE, Command: copyCommand(this.marker, this.#callPort) }
      },
      Mode: { Replicated: { Replicas: REPLICAS } }
    })
  }

  async copies(without?: number): Promise<RunningCopy[]> {
    const manager = this.#managers().find((host) => host !== without)!
    const filters = JSON.stringify({ service: ['web'], 'desired-state': ['running'] })
    const tasks = (await this.#docker(manager).listTasks({ filters })) as Task[]
    return tasks
      .filter(({ Status }) => Status.State === 'running')
      .map(({ Slot, NodeID }) => ({ ordinal: Slot - 1, host: this.#numbers.get(NodeID)! }))
  }

  async restart(host: number): Promise<void> {
    await this.#startDaemon(host)
  }

  async isWhole(hosts: readonly number[] = this.hosts): Promise<boolean> {
    const copies = await this.copies(this.#managers().find((host) => !hosts.includes(host)))
    return copies.length === REPLICAS && (await this.#ready(hosts))
  }

  /** What the hosts do not take away with them. */
  async clear(): Promise<void> {
    const script = `for group in /sys/fs/cgroup/${CGROUP} /sys/fs/cgroup/*/${CGROUP}; do
      [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} +; done`
    await execa('sh', ['-c', script])
  }

  /** What part a host has: losing the leader is another matter than losing a worker. */
  async roleOf(host: number): Promise<'leader' | 'manager' | 'worker'> {
    if (!this.#managers().includes(host)) return 'worker'
    const nodes = await this.#nodes(host)
    return nodes.some(({ ID, ManagerStatus }) => this.#numbers.get(ID) === host && ManagerStatus?.Leader)
      ? 'leader'
      : 'manager'
  }

  #managers(): readonly number[] {
    return this.hosts.slice(0, MANAGERS)
  }

  async #nodes(manager: number): Promise<SwarmNode[]> {
    return (await this.#docker(manager).listNodes()) as SwarmNode[]
  }

  async #ready(hosts: readonly number[]): Promise<boolean> {
    const nodes = await this.#nodes(this.#managers().find((host) => hosts.includes(host))!)
    return hosts.every((host) => {
      const node = nodes.find(({ ID }) => this.#numbers.get(ID) === host)
      const reachable = node?.ManagerStatus === undefined || node.ManagerStatus.Reachability === 'reachable'
      return node?.Status.State === 'ready' && reachable
    })
  }

  #docker(host: number): Dockerode {
    return new Dockerode({ socketPath: join(this.#dir(host), 'docker.sock'), timeout: 4_000 })
  }

  #dir(host: number): string {
    return join(this.#hosts.dir, String(host), 'docker')
  }

  async #startDaemon(host: number): Promise<void> {
    const dir = this.#dir(host)
    await mkdir(dir, { recursive: true })
    if (!existsSync(join(dir, 'daemon.json'))) await writeFile(join(dir, 'daemon.json'), '{}')
    const flags = [
      ...['-H', `unix://${dir}/docker.sock`, '--data-root', `${dir}/data`, '--exec-root', '/run/docker'],
      ...['--pidfile', '/run/dockerd.pid', '--config-file', `${dir}/daemon.json`],
      ...['--cgroup-parent', `/${CGROUP}/${host}`]
    ]
    // what it left in /run when it was killed; PIDs in it may be others' by now
    const script = `rm -f /run/dockerd.pid /run/docker/containerd/containerd.pid; exec dockerd "$@" >> ${dir}/log 2>&1`
    const child = this.#hosts.spawn(host, ['sh', '-c', script, 'dockerd', ...flags])
    child.on('error', () => {}) // it is asked below whether it is there
    const there = async () => Boolean(await this.#docker(host).ping()) || undefined
    await until(`until dockerd answers on host ${host}`, there, { deadlineMs: START_DEADLINE_MS }).catch(
      async (error: Error) => {
        const log = await readFile(`${dir}/log`, 'utf8').catch(() => '')
        throw new Error(`${error.message}\n${log.slice(-1_000)}`)
      }
    )
  }
}

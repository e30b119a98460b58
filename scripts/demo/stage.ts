import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { createEngine, type RuntimeEngine } from '../../src/index.ts'

const CLI = resolve(import.meta.dirname, '../../dist/cli/main.js')
const READY_TIMEOUT_MS = 20_000

export interface DemoNode {
  readonly name: string
  readonly peerId: string
  readonly address: string
  readonly process: ChildProcess
}

/** Real node processes in a folder of their own, and whatever they start: all of it goes when the demo ends. */
export class Stage {
  readonly dir: string
  readonly identity: string
  readonly networkKey: string
  readonly runtimeDir: string
  readonly engineName: 'podman' | 'mock'
  readonly nodes: DemoNode[] = []
  readonly #children = new Set<ChildProcess>()
  #engine: RuntimeEngine | undefined

  private constructor(dir: string, engineName: 'podman' | 'mock') {
    this.dir = dir
    this.engineName = engineName
    this.identity = join(dir, 'identity')
    this.networkKey = join(dir, 'network.key')
    this.runtimeDir = join(dir, 'run')
  }

  static async open(): Promise<Stage> {
    const dir = await mkdtemp(join(tmpdir(), 'beemesh-demo-'))
    const podman = createEngine('podman', { runDir: join(dir, 'engine') })
    const { available, reason } = await podman.isAvailable()
    const stage = new Stage(dir, available ? 'podman' : 'mock')
    if (available) stage.#engine = podman
    else stage.missing = reason
    return stage
  }

  /** Why there is no Podman. */
  missing: string | undefined

  /** Starts a node and waits until it says that it is ready. */
  async startNode(name: string): Promise<DemoNode> {
    const bootstrap = this.nodes.flatMap(({ address }) => ['--bootstrap', address])
    const args = ['node', 'start', '-o', 'json', '--name', name, '--data-dir', join(this.dir, name)]
    const shared = [
      '--identity',
      this.identity,
      '--network-key',
      this.networkKey,
      '--engine',
      this.engineName
    ]
    const child = spawn(process.execPath, [CLI, ...args, ...shared, ...bootstrap, '--log-level', 'warn'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, BEEMESH_RUNTIME_DIR: this.runtimeDir },
      detached: true // because Ctrl-C must reach the demo alone, which then takes its nodes down in order
    })
    this.#children.add(child)
    const errors: string[] = []
    createInterface({ input: child.stderr! }).on('line', (line) => {
      errors.push(line)
      if (errors.length > 20) errors.shift()
    })
    const ready = await readyLine(child, name, errors)
    const node = { name, peerId: ready.peerId, address: ready.addresses[0]!, process: child }
    this.nodes.push(node)
    return node
  }

  /** Ends everything the demo started: workloads, nodes, files. Repeatable; never throws. */
  async close(): Promise<void> {
    await Promise.all([...this.#children].map(stop))
    this.#children.clear()
    for (const { peerId } of this.nodes) await this.#removeWorkloads(peerId)
    await this.#engine?.close?.()
    await rm(this.dir, { recursive: true, force: true })
  }

  /** What happens to a node when its machine loses power: its process is gone at once, and what it ran with it. */
  async loseMachine({ peerId, process: child }: DemoNode): Promise<void> {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await Promise.all([ended, this.#removeWorkloads(peerId)])
  }

  async #removeWorkloads(peerId: string): Promise<void> {
    try {
      const left = (await this.#engine?.list({ labels: { 'beemesh.io/node': peerId } })) ?? []
      for (const { workloadId } of left) await this.#engine!.remove(workloadId, { graceMs: 0 })
    } catch (error) {
      process.stderr.write(`demo: could not remove workloads of ${peerId}: ${String(error)}\n`)
    }
  }
}

interface Ready {
  readonly peerId: string
  readonly addresses: string[]
}

function readyLine(child: ChildProcess, name: string, errors: readonly string[]): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`node ${name} ${what}\n${errors.join('\n')}`))
    const timer = setTimeout(() => fail('did not become ready'), READY_TIMEOUT_MS)
    child.once('exit', (code) => {
      clearTimeout(timer)
      fail(`ended with ${code} before it was ready`)
    })
    createInterface({ input: child.stdout! }).once('line', (line) => {
      clearTimeout(timer)
      resolve(JSON.parse(line) as Ready)
    })
  })
}

/** SIGTERM, and SIGKILL when it does not end in time. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(timer)
}

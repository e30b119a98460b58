/**
 * `npm run bench:detect [ROUNDS]`: how long it takes until the other four of five processes call a node dead, after kill -9 and
 * after SIGSTOP. What probing costs: bench/detect-cost.ts.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  Client,
  findLocalNodes,
  loadOrCreateSigningKey,
  localConnection,
  parseManifests,
  Session
} from '../src/index.ts'
import { median, podYaml } from './stage.ts'

const NODES = 5
const ROUND_DEADLINE_MS = 30_000
const rounds = Number(process.argv[2] ?? 10)

interface Message {
  readonly state?: string
  readonly peerId?: string
  readonly atMs?: number
  readonly connected?: readonly string[]
  readonly ready?: { readonly peerId: string; readonly address: string }
}

class Node {
  readonly name: string
  readonly states: { state: string; peerId: string; atMs: number }[] = []
  child: ChildProcess | undefined
  peerId = ''
  address = ''
  connected: readonly string[] = []

  constructor(name: string) {
    this.name = name
  }

  async start(dir: string, identity: string, bootstrap?: string): Promise<void> {
    const args = [dir, this.name, identity, ...(bootstrap === undefined ? [] : [bootstrap])]
    const child = fork(resolve(import.meta.dirname, 'detect-node.ts'), args, { execArgv: [] })
    this.child = child
    this.connected = []
    const ready = Promise.withResolvers<void>()
    child.on('message', (message: Message) => {
      if (message.ready !== undefined) {
        Object.assign(this, message.ready)
        ready.resolve()
      } else if (message.connected !== undefined) this.connected = message.connected
      else this.states.push({ state: message.state!, peerId: message.peerId!, atMs: message.atMs! })
    })
    child.once('exit', () => ready.reject(new Error(`${this.name} ended before it was ready`)))
    await ready.promise
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + ROUND_DEADLINE_MS
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`waited ${ROUND_DEADLINE_MS} ms ${what}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}

function settled(nodes: readonly Node[]): Promise<void> {
  return until('until all are connected', () =>
    nodes.every(({ connected }) => nodes.every(({ peerId }) => connected.includes(peerId)))
  )
}

/** Milliseconds until each of the others had seen it. */
async function seenDead(nodes: readonly Node[], victim: Node, fromMs: number): Promise<number[]> {
  const others = nodes.filter((node) => node !== victim)
  const sight = ({ states }: Node) =>
    states.find(({ state, peerId, atMs }) => state === 'dead' && peerId === victim.peerId && atMs >= fromMs)
  await until(`until ${victim.name} is dead`, () => others.every((node) => sight(node) !== undefined))
  return others.map((node) => sight(node)!.atMs - fromMs)
}

function report(what: string, values: readonly number[]): void {
  const sorted = [...values].sort((a, b) => a - b)
  const p99 = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))]!
  console.log(
    `${what}: median ${median(values).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, max ${sorted.at(-1)!.toFixed(0)} ms (${rounds} rounds, ${values.length} sights)`
  )
}

const dir = await mkdtemp(join(tmpdir(), 'bmd-'))
const identity = join(dir, 'owner')
const { key } = await loadOrCreateSigningKey(identity)
const nodes = Array.from({ length: NODES }, (_, index) => new Node(`node-${index}`))
try {
  await nodes[0]!.start(dir, identity)
  await Promise.all(nodes.slice(1).map((node) => node.start(dir, identity, nodes[0]!.address)))
  await settled(nodes)
  // something runs everywhere, because an idle node is probed less often
  const local = await findLocalNodes(join(dir, 'run'))
  const entry = local.find(({ peerId }) => peerId === nodes[0]!.peerId)!
  const client = new Client({ session: new Session(key, localConnection(entry)), roots: [key.peerId] })
  for (const { name } of nodes) await client.apply(parseManifests(podYaml(name)), { to: [name] })

  const killed: number[] = []
  const frozen: number[] = []
  for (let round = 0; round < rounds; round++) {
    const victim = nodes[1 + (round % (NODES - 1))]!
    await new Promise((done) => setTimeout(done, 500 + Math.random() * 1_000))
    let fromMs = Date.now()
    victim.child!.kill('SIGSTOP')
    frozen.push(...(await seenDead(nodes, victim, fromMs)))
    victim.child!.kill('SIGCONT')
    await settled(nodes)

    await new Promise((done) => setTimeout(done, 500 + Math.random() * 1_000))
    fromMs = Date.now()
    victim.child!.kill('SIGKILL')
    killed.push(...(await seenDead(nodes, victim, fromMs)))
    await victim.start(dir, identity, nodes[0]!.address)
    await settled(nodes)
  }
  report('kill -9 until dead', killed)
  report('SIGSTOP until dead', frozen)
  const victims = nodes.length - 1
  const wrong = nodes.flatMap(({ states }) => states).filter(({ state }) => state === 'dead')
  console.log(`called dead: ${wrong.length}, of which were right ${rounds * 2 * victims} by the others`)
} finally {
  for (const { child } of nodes)
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  await rm(dir, { recursive: true, force: true })
}

import { parseManifests } from '../src/manifest/index.ts'
import { clientOf, createProcessMesh } from '../test/fixtures/create-process-mesh.ts'
import type { NodeProcess } from '../test/fixtures/node-process.ts'
import { until } from '../test/fixtures/until.ts'
import { DEBUGGER_PORT, type HeldMemory, heldMemory } from './live-memory.ts'

export interface SoakOptions {
  readonly nodes: number
  readonly durationMs: number
  readonly seed: number
  readonly say: (line: string) => void
}

export interface SoakResult {
  readonly actions: Readonly<Record<string, number>>
  readonly manifests: number
  /** Answers compared with the truth, half of the way and at the end: nodes x manifests. */
  readonly answers: number
  /** How long after the last action every answer was equal to the truth, ms. */
  readonly settledMs: number
  /** Of each process that was up from a quarter of the way, and so warm at half of it, to the end. */
  readonly held: readonly { readonly name: string; readonly half: HeldMemory; readonly end: HeldMemory }[]
}

/** After the last action every node must know the truth within this. Source: a lease, a start of a node, and room for a busy machine. */
const SETTLE_MS = 60_000
const MAX_MANIFESTS = 40

/** One node in so many lives through it all, so that there is something to see of its memory: n1, and more of larger meshes. Chosen. */
const NODES_PER_SURVIVOR = 5

/**
 * Node processes (mock engine) that are applied to, deleted from, killed, stopped and started again at random. Half of the way and at the end all are
 * started and left alone: each must then answer "who runs this?" for every manifest exactly as it is, and what it holds is read, so that
 * both readings are of the same mesh. @throws when an answer is not the truth
 */
export async function soak({ nodes: size, durationMs, seed, say }: SoakOptions): Promise<SoakResult> {
  const random = mulberry32(seed)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!
  const mesh = await createProcessMesh({ nodes: ['n0', 'n1'], nodeOptions: DEBUGGER_PORT })
  const down = new Set<NodeProcess>()
  const manifests = new Map<string, string>()
  const actions: Record<string, number> = {}
  const up = () => mesh.nodes.filter((node) => !down.has(node))
  const survivors = Math.max(1, Math.floor(size / NODES_PER_SURVIVOR))
  const mortal = () => up().filter((node) => !mesh.nodes.slice(1, 1 + survivors).includes(node))
  let serial = 0

  const acts: Record<string, () => Promise<void>> = {
    async join() {
      if (mesh.nodes.length < size) await mesh.add({ name: `n${mesh.nodes.length}` })
    },
    async apply() {
      if (manifests.size >= MAX_MANIFESTS) return
      const name = `w${serial++}`
      const client = await clientOf(mesh.home, pick(up()))
      const signal = AbortSignal.timeout(10_000)
      const [result] = await client.apply(parseManifests(pod(name)), { to: [pick(up()).init.name], signal })
      manifests.set(name, result!.manifestId)
    },
    async delete() {
      const name = pick([...manifests.keys()])
      if (name === undefined) return
      const client = await clientOf(mesh.home, pick(up()))
      await client.delete(name, { signal: AbortSignal.timeout(10_000) })
      manifests.delete(name)
    },
    async ask() {
      const id = pick([...manifests.values()])
      if (id === undefined) return
      const client = await clientOf(mesh.home, pick(up()))
      await client.providers(id, { signal: AbortSignal.timeout(10_000) })
    },
    async kill() {
      const node = pick(mortal())
      if (up().length < 3) return
      down.add(node)
      await node.kill9()
    },
    async leave() {
      const node = pick(mortal())
      if (up().length < 3) return
      down.add(node)
      await node.stop()
    },
    async back() {
      const node = pick([...down])
      if (node === undefined) return
      await node.start()
      down.delete(node)
    }
  }
  const bag = [
    ...repeat('join', 3),
    ...repeat('apply', 4),
    ...repeat('ask', 6),
    'delete',
    'delete',
    'kill',
    'leave',
    'back',
    'back',
    'back'
  ]

  const stir = async (forMs: number) => {
    for (const end = performance.now() + forMs; performance.now() < end; ) {
      const what = pick(bag)
      // a request may fail because its node is just being killed: what counts is the truth afterwards
      await acts[what]!().catch((error: unknown) => say(`${what}: ${String(error).slice(0, 200)}`))
      actions[what] = (actions[what] ?? 0) + 1
    }
  }
  const quiet = async () => {
    for (const node of down) await node.start()
    down.clear()
    const quietAt = performance.now()
    const answers = await until(
      'until every answer is the truth',
      async () => {
        const wrong = await compare(mesh.home, mesh.nodes)
        if (wrong.lies.length === 0) return wrong.compared
        throw new Error(wrong.lies.slice(0, 5).join('; '))
      },
      { deadlineMs: SETTLE_MS }
    )
    return { answers, settledMs: performance.now() - quietAt }
  }
  // one after the other, because a collection takes a core
  const readAll = async (pids: ReadonlySet<number>) => {
    const readings = new Map<number, HeldMemory>()
    for (const node of mesh.nodes) if (pids.has(node.pid)) readings.set(node.pid, await heldMemory(node))
    return readings
  }

  try {
    await stir(durationMs / 4)
    const early = new Set(up().map(({ pid }) => pid))
    await stir(durationMs / 4)
    const half = await quiet()
    const before = await readAll(early)
    await stir(durationMs / 2)
    const { answers, settledMs } = await quiet()
    const after = await readAll(new Set(before.keys()))
    const held = mesh.nodes.flatMap(({ pid, init: { name } }) => {
      const end = after.get(pid)
      return end === undefined ? [] : [{ name, half: before.get(pid)!, end }]
    })
    return { actions, manifests: manifests.size, answers: half.answers + answers, settledMs, held }
  } finally {
    await mesh.close()
  }
}

/** Asks every node for every manifest that any node holds, and every node for what it holds. */
async function compare(
  home: Parameters<typeof clientOf>[0],
  nodes: readonly NodeProcess[]
): Promise<{ compared: number; lies: string[] }> {
  const truth = new Map<string, Set<string>>()
  for (const node of nodes) {
    const client = await clientOf(home, node)
    for (const { manifestId, placements } of await client.workloads({ signal: AbortSignal.timeout(5_000) }))
      for (const { state, peerId } of placements)
        if (state === 'running' || state === 'ready')
          truth.set(manifestId, (truth.get(manifestId) ?? new Set()).add(peerId))
  }
  const lies: string[] = []
  let compared = 0
  for (const node of nodes) {
    const client = await clientOf(home, node)
    for (const [id, runs] of truth) {
      const { providers } = await client.providers(id, { signal: AbortSignal.timeout(10_000) })
      const said = providers.filter(({ source }) => source !== 'stale').map(({ peerId }) => peerId)
      compared++
      if ([...new Set(said)].sort().join() !== [...runs].sort().join())
        lies.push(`${node.init.name} says ${said.length} run ${id}, it is ${runs.size}`)
    }
  }
  return { compared, lies }
}

function pod(name: string): string {
  const containers = [{ name: 'main', image: 'localhost/soak:1' }]
  const spec = { terminationGracePeriodSeconds: 1, containers }
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec })
}

function repeat(what: string, times: number): string[] {
  return Array.from({ length: times }, () => what)
}

/** Small and seeded; good enough to choose actions. Source: Tommy Ettinger's mulberry32, public domain. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

import type { Bees } from './bees.ts'
import type { Loss } from './cluster.ts'

/** A decision, from a node's log. */
export interface Line {
  readonly node: string
  readonly atMs: number
  readonly message: string
}

/** Times since the loss, ms; a step that left no trace is undefined. */
export interface Steps {
  /** The first of the others calls the lost node dead, and the last. */
  readonly detected: number | undefined
  readonly detectedByAll: number | undefined
  /** A keeper has seen for itself that the copy is missing, and asks for bids. */
  readonly decided: number | undefined
  /** That node has the key from the others; absent where its owner sealed it to all. */
  readonly key: number | undefined
  /** It has written the copy down. */
  readonly accepted: number | undefined
  /** Podman says that it runs. */
  readonly started: number | undefined
}

export const STEPS = [
  'detected',
  'decided',
  'key',
  'accepted',
  'started'
] as const satisfies readonly (keyof Steps)[]

/** Takes a node's log as it comes, and gives on what its scheduler says. */
export function readLines(node: string, onLine: (line: Line) => void): (text: string) => void {
  let rest = ''
  return (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines.filter((one) => one.includes('beemesh:scheduler')))
      try {
        const { time, msg } = JSON.parse(line) as { time: string; msg: string }
        onLine({ node, atMs: Date.parse(time), message: msg })
      } catch {} // because what is not JSON was not written by its log
  }
}

/** What happened between a loss and the copy that came back, from events and logs. All hosts have this machine's clock. */
export async function stepsOf(
  bees: Bees,
  { fromMs, lost, replacement }: { fromMs: number; lost: number; replacement: number; loss: Loss }
): Promise<Steps> {
  const since = bees.lines.filter(({ atMs }) => atMs >= fromMs)
  const said = (pattern: RegExp) => since.find(({ message }) => pattern.test(message))?.atMs
  const events = { dead: [] as number[], accepted: [] as number[], started: [] as number[] }
  for (const host of bees.hosts.filter((one) => one !== lost)) {
    const client = await bees.client(host)
    const signal = AbortSignal.timeout(4_000)
    for await (const event of client.events(undefined, { sinceMs: fromMs, signal })) {
      const atMs = Date.parse(event.timestamp)
      if (atMs < fromMs) continue
      if (event.type === 'dead' && event.node === `h${lost}`) events.dead.push(atMs)
      if (event.node !== `h${replacement}`) continue
      if (event.type === 'accepted' || event.type === 'started') events[event.type].push(atMs)
    }
  }
  const after = (atMs: number | undefined) =>
    atMs === undefined || !Number.isFinite(atMs) ? undefined : atMs - fromMs
  return {
    detected: after(Math.min(...events.dead)),
    detectedByAll: after(Math.max(...events.dead)),
    decided: after(said(/^copies .* are missing: asking/)),
    key: after(said(/^got the key/)),
    accepted: after(Math.min(...events.accepted)),
    started: after(Math.min(...events.started))
  }
}

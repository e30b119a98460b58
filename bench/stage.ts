import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  type BeemeshNode,
  Client,
  createNode,
  findLocalNodes,
  loadSigningKey,
  localConnection,
  Session
} from '../src/index.ts'

export const IMAGE = 'localhost/beemesh-demo:1'

export interface Stage {
  readonly node: BeemeshNode
  readonly client: Client
  close(): Promise<void>
}

/** One warm node in this process with a connected client; everything of it goes with `close`. */
export async function openStage(engine: 'podman' | 'mock'): Promise<Stage> {
  if (engine === 'podman') run('sh', [resolve(import.meta.dirname, '../scripts/make-image.sh'), IMAGE])
  const dir = await mkdtemp(join(tmpdir(), 'beemesh-bench-'))
  const runtimeDir = join(dir, 'run')
  const identity = join(dir, 'owner')
  const node = await createNode(
    { dataDir: join(dir, 'node'), name: 'bench', network: 'bench', identity, engine, logLevel: 'error' },
    { runtimeDir }
  )
  await node.start()
  const [local] = await findLocalNodes(runtimeDir)
  const client = new Client({ session: new Session(await loadSigningKey(identity), localConnection(local!)) })
  return {
    node,
    client,
    close: async () => {
      await node.stop()
      await rm(dir, { recursive: true, force: true })
    }
  }
}

/** A pod that serves on 8080; one container, limits written, no host port asked for. */
export function podYaml(name: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'web',
          image: IMAGE,
          command: ['/bin/sh', '-c', 'trap "exit 0" TERM; httpd -p 8080 -h /www; sleep 3600 & wait'],
          resources: { limits: { memory: '32Mi', cpu: '100m' } }
        }
      ]
    }
  })
}

/** Runs a command to its end and returns the milliseconds it took; throws with what it said when it failed. */
export function run(command: string, args: readonly string[], input?: string): number {
  const startedAt = performance.now()
  const { status, stderr } = spawnSync(command, args, { input, encoding: 'utf8', timeout: 60_000 })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`)
  return performance.now() - startedAt
}

export async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await act()
  return performance.now() - startedAt
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

/** One line of a result: both medians, their ratio, and the bound it is measured against. */
export function report(
  what: string,
  ours: readonly number[],
  theirs: readonly number[],
  bound: string
): void {
  const [a, b] = [median(ours), median(theirs)]
  console.log(
    `${what}: ${a.toFixed(0)} ms against ${b.toFixed(0)} ms, ratio ${(a / b).toFixed(2)} (${bound}; n=${ours.length})`
  )
}

import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { type PodContainer, PodmanEngine, type PodmanEngineInit } from '../../src/runtime/index.ts'
import type { ContainerScript, EngineFixture } from '../conformance/engine-suite.ts'

const ROOT = join(import.meta.dirname, '..', '..')
export const IMAGE = 'localhost/beemesh-test:1'

export interface PodmanFixture extends EngineFixture {
  readonly engine: PodmanEngine
  readonly runDir: string
  /** Runs podman for the test itself, past the engine. */
  podman(...args: string[]): Promise<string>
  /** Another node's engine on the same Podman. */
  createEngine(init?: Partial<PodmanEngineInit>): Promise<PodmanEngine>
}

/** sh that speaks, then ends or waits; `exec`, so that a signal reaches what waits. */
export function toContainer(
  name: string,
  { say = [], exitCode, stubborn = false }: ContainerScript = {}
): PodContainer {
  const words = say.map((line) => `echo ${line}`)
  const wait = stubborn
    ? ["trap '' TERM", 'while :; do sleep 1; done']
    : ["trap 'exit 143' TERM", 'sleep 10000 & wait']
  const script = [...words, ...(exitCode === undefined ? wait : [`exit ${exitCode}`])].join('; ')
  return { name, image: IMAGE, imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', script] }
}

/** Undefined, and loud, when this machine cannot have Podman. */
export async function createPodmanFixture(
  init: Partial<PodmanEngineInit> = {}
): Promise<PodmanFixture | undefined> {
  const made = await execa('sh', [join(ROOT, 'scripts/make-image.sh'), IMAGE], {
    reject: false,
    env: settings()
  })
  if (made.failed) {
    console.error(
      `\n  !!! SKIPPED: Podman cannot be used on this machine, so nothing below tests it. ${made.stderr}\n`
    )
    return undefined
  }
  const runDir = await mkdtemp(join(tmpdir(), 'bmt-'))
  const engines: PodmanEngine[] = []
  const createEngine = async (more: Partial<PodmanEngineInit> = {}) => {
    const engine = new PodmanEngine({ runDir: await mkdtemp(join(runDir, 'node-')), ...init, ...more })
    engines.push(engine)
    return engine
  }
  const podman = async (...args: string[]) =>
    (await execa('podman', args, { env: settings(), timeout: 20_000 })).stdout
  const prefix = `bmt-${process.pid}-`
  return {
    engine: await createEngine(),
    runDir,
    prefix,
    podman,
    createEngine,
    missingImage: 'localhost/beemesh-missing:1',
    container: toContainer,
    brokenContainer: (name) => ({ ...toContainer(name), command: ['/nope'] }),
    occupyPort,
    async endContainer(workloadId, container) {
      await podman('kill', '--signal', 'TERM', `${workloadId}-${container}`)
    },
    leftovers: (workloadId) => findLeftovers(podman, runDir, workloadId),
    async close() {
      for (const engine of engines) await engine.close()
      await rm(runDir, { recursive: true, force: true })
    }
  }
}

async function findLeftovers(
  podman: PodmanFixture['podman'],
  runDir: string,
  workloadId: string
): Promise<string[]> {
  const lines = (text: string) => text.split('\n').filter((line) => line !== '')
  const containers = lines(
    await podman('ps', '--all', '--filter', `pod=${workloadId}`, '--format', '{{.Names}}')
  )
  const pods = lines(await podman('pod', 'ps', '--format', '{{.Name}}')).filter((name) => name === workloadId)
  const volumes = lines(await podman('volume', 'ls', '--format', '{{.Name}}'))
  const uid = process.getuid?.() ?? 0
  const bases = [runDir, `/dev/shm/beemesh-${uid}`, `/run/beemesh-${uid}`, `/run/user/${uid}/beemesh-${uid}`]
  const files = await Promise.all(bases.map((base) => readdir(base, { recursive: true }).catch(() => [])))
  const own = files.flat().filter((path) => path.split('/').includes(workloadId))
  return [...containers, ...pods, ...volumes.filter((name) => name.startsWith(`${workloadId}-`)), ...own]
}

/** A foreign process' listener: this one's. */
async function occupyPort(): Promise<{ port: number; release(): Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { port, release: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** What `npm run setup` found out about this machine. */
function settings(): Record<string, string> {
  const file = join(ROOT, '.setup/env')
  const written = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return Object.fromEntries(
    written.split('\n').flatMap((line) => (line.includes('=') ? [line.split('=', 2)] : []))
  )
}

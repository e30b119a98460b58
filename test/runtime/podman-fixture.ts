import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { PodmanEngine, type PodmanEngineInit } from '../../src/runtime/index.ts'
import type { EngineFixture } from '../conformance/engine-suite.ts'
import {
  COMMANDS,
  countProcesses,
  findFiles,
  IMAGE,
  makeImage,
  occupyPort,
  settings,
  toContainer,
  toWebContainer,
  UNREACHABLE_IMAGE
} from './container-fixture.ts'

export { IMAGE, toContainer } from './container-fixture.ts'

export interface PodmanFixture extends EngineFixture {
  readonly engine: PodmanEngine
  readonly runDir: string
  /** Runs podman for the test itself, past the engine. */
  podman(...args: string[]): Promise<string>
  /** Another node's engine on the same Podman. */
  createEngine(init?: Partial<PodmanEngineInit>): Promise<PodmanEngine>
}

/** Tells apart what several fixtures of one process make. */
let fixtures = 0

/** Undefined, and loud, when this machine cannot have Podman. */
export async function createPodmanFixture(
  init: Partial<PodmanEngineInit> = {}
): Promise<PodmanFixture | undefined> {
  if ((await makeImage()) === undefined) return undefined
  const runDir = await mkdtemp(join(tmpdir(), 'bmt-'))
  const engines: PodmanEngine[] = []
  const createEngine = async (more: Partial<PodmanEngineInit> = {}) => {
    const engine = new PodmanEngine({ runDir: await mkdtemp(join(runDir, 'node-')), ...init, ...more })
    engines.push(engine)
    return engine
  }
  const podman = async (...args: string[]) =>
    (await execa('podman', args, { env: settings(), timeout: 30_000 })).stdout
  await podman('tag', IMAGE, UNREACHABLE_IMAGE)
  const [name] = IMAGE.split(':')
  const digests = (await podman('image', 'inspect', '--format', '{{.Digest}} sha256:{{.Id}}', IMAGE)).split(
    ' '
  )
  return {
    engine: await createEngine(),
    runDir,
    prefix: `bmt-${process.pid}-${fixtures++}-`,
    podman,
    createEngine,
    missingImage: 'localhost/beemesh-missing:1',
    unreachableImage: UNREACHABLE_IMAGE,
    digestImages: digests.map((digest) => `${name}@${digest.trim()}`),
    commands: COMMANDS,
    container: toContainer,
    brokenContainer: (container) => ({ ...toContainer(container), command: ['/nope'] }),
    webContainer: toWebContainer,
    occupyPort,
    async endContainer(workloadId, container, signal = 'SIGTERM') {
      await podman('kill', '--signal', signal, `${workloadId}-${container}`)
    },
    countProcesses,
    leftovers: (workloadId) => findLeftovers(podman, runDir, workloadId),
    volumes: async () => (await podman('volume', 'ls', '--format', '{{.Name}}')).split('\n'),
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
  const list = async (...args: string[]): Promise<string[]> => {
    for (let tries = 0; ; tries++) {
      try {
        return (await podman(...args)).split('\n').filter((line) => line !== '')
      } catch (error) {
        if (tries === 10) throw error // it fails when something it lists is being removed by others
      }
    }
  }
  const [containers, volumes, files] = await Promise.all([
    list('ps', '--all', '--pod', '--format', '{{.PodName}} {{.Names}}'),
    list('volume', 'ls', '--format', '{{.Name}}'),
    findFiles(runDir, workloadId)
  ])
  return [
    ...containers.filter((line) => line.startsWith(`${workloadId} `)),
    ...volumes.filter((name) => name.startsWith(`${workloadId}-`)),
    ...files
  ]
}

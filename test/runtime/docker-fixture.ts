import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Dockerode from 'dockerode'
import { execa } from 'execa'
import { DockerEngine, type DockerEngineInit } from '../../src/runtime/index.ts'
import type { EngineFixture } from '../conformance/engine-suite.ts'
import {
  COMMANDS,
  countProcesses,
  findFiles,
  IMAGE,
  makeImage,
  occupyPort,
  ROOT,
  settings,
  toContainer,
  toWebContainer,
  UNREACHABLE_IMAGE
} from './container-fixture.ts'

export interface DockerFixture extends EngineFixture {
  readonly engine: DockerEngine
  readonly runDir: string
  readonly docker: Dockerode
  readonly socketPath: string
  createEngine(init?: Partial<DockerEngineInit>): Promise<DockerEngine>
}

let shared: Promise<DockerFixture | undefined> | undefined

/** The one daemon of this process. */
export function openDockerFixture(): Promise<DockerFixture | undefined> {
  shared ??= createDockerFixture()
  return shared
}

/** A dockerd of its own with the test image. Undefined, and loud, when this machine cannot have one. */
async function createDockerFixture(): Promise<DockerFixture | undefined> {
  if ((await makeImage()) === undefined) return undefined
  const runDir = await mkdtemp(join(tmpdir(), 'bmt-'))
  const dir = join(runDir, 'dockerd')
  const script = join(ROOT, 'scripts/dockerd.sh')
  const started = await execa('sh', [script, 'start', dir], { reject: false, stdin: 'ignore' })
  if (started.failed) {
    await rm(runDir, { recursive: true, force: true })
    console.error(
      `\n  !!! SKIPPED: no dockerd can be started here, so nothing tests Docker. ${started.stderr}\n`
    )
    return undefined
  }
  const socketPath = join(dir, 'docker.sock')
  const docker = new Dockerode({ socketPath })
  const archive = join(runDir, 'image.tar')
  await execa('podman', ['save', '--quiet', '--output', archive, IMAGE], { env: settings() })
  const said = await docker.loadImage(archive)
  for await (const _ of said);
  const [repo = '', tag = ''] = UNREACHABLE_IMAGE.split(':')
  await docker.getImage(IMAGE).tag({ repo, tag })
  const engines: DockerEngine[] = []
  const createEngine = async (init: Partial<DockerEngineInit> = {}) => {
    const engine = new DockerEngine({ runDir: await mkdtemp(join(runDir, 'node-')), socketPath, ...init })
    engines.push(engine)
    return engine
  }
  const volumes = async () => (await docker.listVolumes()).Volumes.map(({ Name }) => Name)
  return {
    engine: await createEngine(),
    runDir,
    docker,
    socketPath,
    createEngine,
    prefix: `bmt-${process.pid}-`,
    missingImage: 'localhost/beemesh-missing:1',
    unreachableImage: UNREACHABLE_IMAGE,
    digestImages: [`${IMAGE.split(':')[0]}@${(await docker.getImage(IMAGE).inspect()).Id}`],
    commands: COMMANDS,
    container: toContainer,
    brokenContainer: (name) => ({ ...toContainer(name), command: ['/nope'] }),
    webContainer: toWebContainer,
    occupyPort,
    async endContainer(workloadId, container, signal = 'SIGTERM') {
      await docker.getContainer(`beemesh.${workloadId}.${container}`).kill({ signal })
    },
    countProcesses,
    volumes,
    async leftovers(workloadId) {
      const names = (await docker.listContainers({ all: true })).flatMap(({ Names }) => Names)
      return [
        ...names.filter((name) => `${name}.`.startsWith(`/beemesh.${workloadId}.`)),
        ...(await volumes()).filter((name) => name.startsWith(`${workloadId}-`)),
        ...(await findFiles(runDir, workloadId))
      ]
    },
    async close() {
      shared = undefined // because another file in this process may want one too
      for (const engine of engines) await engine.close()
      await execa('sh', [script, 'stop', dir])
      await rm(runDir, { recursive: true, force: true })
    }
  }
}

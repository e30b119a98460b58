import { expect } from 'chai'
import {
  type DeployRequest,
  type EngineWorkload,
  type ExecOptions,
  type LogLine,
  type PodContainer,
  type PodDocument,
  type RuntimeEngine,
  RuntimeError,
  type RuntimeErrorCode
} from '../../../src/runtime/index.ts'

/** What a container does, in words every engine's fixture can carry out. */
export interface ContainerScript {
  readonly say?: readonly string[]
  /** Ends with this code after it has spoken; undefined runs on until it is told to end. */
  readonly exitCode?: number
  /** Does not care for SIGTERM. */
  readonly stubborn?: boolean
  /** Starts so many processes, soon after it was started. */
  readonly processes?: number
  /** Takes more memory than it may have. */
  readonly outOfMemory?: boolean
}

/** Commands that every fixture's image has. */
export interface Commands {
  /** Writes `out` to stdout and `err` to stderr, ends with 7. */
  readonly fail: readonly string[]
  /** Writes its standard input to stdout. */
  readonly echo: readonly string[]
  /** Writes the names of the network interfaces that it sees, or nothing where none are real. */
  readonly interfaces: readonly string[]
  /** Writes "<rows> <columns>" until they are 40 and 100. */
  readonly size: readonly string[]
  /** Does not end by itself; a process with this word in its arguments. */
  hang(word: string): readonly string[]
  /** Writes `kept` to /data/x, or what is there to stdout. */
  readonly write: readonly string[]
  readonly read: readonly string[]
}

export interface EngineFixture {
  readonly engine: RuntimeEngine
  /** Begins every workload ID of this run. */
  readonly prefix: string
  readonly missingImage: string
  /** An image that is here, by a name whose registry cannot be reached. */
  readonly unreachableImage: string
  /** The same image as `container` has, as name@sha256:…; one for each meaning that a digest has here. */
  readonly digestImages: readonly string[]
  readonly commands: Commands
  container(name: string, script?: ContainerScript): PodContainer
  /** A container that cannot be started. */
  brokenContainer(name: string): PodContainer
  /** A container that answers HTTP with "hello from beemesh" on this port. */
  webContainer(name: string): { readonly container: PodContainer; readonly port: number }
  /** A TCP port on 127.0.0.1 that somebody else holds until `release`. */
  occupyPort(): Promise<{ readonly port: number; release(): Promise<void> }>
  /** Makes a running container end. */
  endContainer(workloadId: string, container: string, signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** How many processes have this word in their arguments; undefined where none are real. */
  countProcesses(word: string): Promise<number | undefined>
  /** Names of whatever is left of a workload: pods, containers, volumes, files. */
  leftovers(workloadId: string): Promise<string[]>
  /** Names of all volumes on the engine. */
  volumes(): Promise<string[]>
  close(): Promise<void>
}

export interface RequestParts {
  readonly labels?: Record<string, string>
  readonly spec?: object
  readonly files?: DeployRequest['files']
  readonly pidsLimit?: number
  readonly network?: 'none'
}

/** What one case works with; what it deploys is removed after it, and nothing may then be left. */
export interface Tools {
  readonly engine: RuntimeEngine
  readonly fixture: EngineFixture
  newId(): string
  toRequest(containers: readonly PodContainer[], more?: RequestParts): DeployRequest
  /** Expects `deploy` to fail with this code and to leave nothing. */
  refused(request: DeployRequest, code: RuntimeErrorCode): Promise<RuntimeError>
}

export type Cases = Readonly<Record<string, (tools: Tools) => Promise<void>>>

export function createTools(fixture: EngineFixture, newId: () => string): Tools {
  const { engine } = fixture
  return {
    engine,
    fixture,
    newId,
    toRequest(containers, more = {}) {
      const workloadId = newId()
      const pod: PodDocument = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: workloadId, labels: more.labels ?? {} },
        spec: { restartPolicy: 'Never', containers, ...more.spec }
      }
      const { pidsLimit, network } = more
      const given = { ...(pidsLimit === undefined ? {} : { pidsLimit }), ...(network && { network }) }
      return { workloadId, pod, files: more.files ?? [], ...given }
    },
    async refused(request, code) {
      const error = await errorOf(engine.deploy(request))
      expect(error, 'deploy resolved').to.be.instanceOf(RuntimeError)
      expect(error?.code, error?.message).to.equal(code)
      expect(await fixture.leftovers(request.workloadId), 'left over').to.deep.equal([])
      return error!
    }
  }
}

/** What a promise rejects with; undefined when it resolves. */
export function errorOf(promise: Promise<unknown>): Promise<RuntimeError | undefined> {
  return promise.then(
    () => undefined,
    (thrown: RuntimeError) => thrown
  )
}

export function withPort(container: PodContainer, hostPort: number): PodContainer {
  return { ...container, ports: [{ containerPort: 8080, hostPort, hostIP: '127.0.0.1' }] }
}

/** A container with a claim at /data, and the volume that goes with it. */
export function withClaim(container: PodContainer, claimName: string) {
  const mounted = { ...container, volumeMounts: [{ name: 'v', mountPath: '/data' }] }
  return { mounted, spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] } }
}

export async function until(
  engine: RuntimeEngine,
  id: string,
  accept: (workload: EngineWorkload) => boolean
): Promise<EngineWorkload> {
  for (let tries = 0; ; tries++) {
    const last = await engine.status(id)
    if (last !== undefined && accept(last)) return last
    if (tries > 300) expect.fail(`waited in vain, last seen: ${JSON.stringify(last)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export async function read(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const texts: string[] = []
  for await (const { line } of lines) texts.push(line)
  return texts
}

/** Runs a command to its end and gives what it wrote. */
export async function run(
  engine: RuntimeEngine,
  workloadId: string,
  command: readonly string[],
  more: Partial<ExecOptions> = {}
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const written = { stdout: '', stderr: '' }
  const onOutput: ExecOptions['onOutput'] = (stream, bytes) => {
    written[stream] += Buffer.from(bytes).toString()
  }
  const { exitCode } = await engine.exec(workloadId, { command, onOutput, ...more })
  return { exitCode, ...written }
}

import { type ChildProcess, spawn } from 'node:child_process'
import {
  type DeployOptions,
  type DeployRequest,
  type EngineProcess,
  type EngineWorkload,
  MockEngine,
  type RemoveOptions,
  type RestartOptions,
  startTicks
} from '../../../../src/runtime/index.ts'

/** A copy that a machine's engine runs, whatever its node, or anybody, knows of it. */
export interface Copy {
  readonly machine: string
  /** As labelled: text. */
  readonly manifestId: string
  readonly version: number
  readonly ordinal: number
  readonly workloadId: string
  /** The real process behind a copy that asks for one. */
  readonly process?: EngineProcess
}

/** First word of the command of a pod that gets a real process, so that a real guard has something to kill. */
export const REAL = 'run-a-process'
/** Long enough that two nodes may start the same copy at one time. Chosen. */
const START_MS = 30

/** The mock engine of one machine, which outlives the daemons that use it, and tells what it runs. */
export class WatchedEngine extends MockEngine {
  readonly copies = new Map<string, Copy>()
  readonly #machine: string
  readonly #onChange: () => void
  readonly #children: Map<string, ChildProcess>

  constructor(machine: string, onChange: () => void) {
    const copies = new Map<string, Copy>()
    super({
      delayMs: START_MS,
      portMapping: false,
      processes: (id) => [copies.get(id)?.process].filter((one) => one !== undefined)
    })
    this.copies = copies
    this.#machine = machine
    this.#onChange = onChange
    this.#children = new Map()
  }

  override async deploy(request: DeployRequest, options?: DeployOptions): Promise<EngineWorkload> {
    const workload = await super.deploy(request, options)
    this.#begin(request)
    return workload
  }

  override async restart(workloadId: string, container: string, options?: RestartOptions): Promise<void> {
    await super.restart(workloadId, container, options)
    this.#end(workloadId)
    const pod = this.getWorkloadManifest(workloadId)
    if (pod !== undefined) this.#begin({ workloadId, pod } as DeployRequest)
  }

  override async remove(workloadId: string, options?: RemoveOptions): Promise<void> {
    this.#end(workloadId)
    await super.remove(workloadId, options)
    this.#onChange()
  }

  /** The machine has no power: nothing is left of what ran. */
  powerOff(): void {
    for (const workloadId of [...this.copies.keys()]) this.#end(workloadId)
    this.clearWorkloads()
    this.#onChange()
  }

  #begin({ workloadId, pod }: DeployRequest): void {
    const labels = pod.metadata.labels ?? {}
    const [first] = pod.spec.containers
    const words = first?.command as readonly string[] | undefined
    const copy = {
      machine: this.#machine,
      workloadId,
      manifestId: labels['beemesh.io/manifest'] ?? '',
      version: Number(labels['beemesh.io/version']),
      ordinal: Number(labels['beemesh.io/ordinal'])
    }
    if (words?.[0] !== REAL) this.copies.set(workloadId, copy)
    else {
      const child = spawn('sleep', ['600'], { stdio: 'ignore' })
      this.#children.set(workloadId, child)
      const pid = child.pid!
      this.copies.set(workloadId, { ...copy, process: { pid, startTicks: startTicks(pid)! } })
      child.once('exit', () => {
        if (this.#children.get(workloadId) !== child) return
        this.#children.delete(workloadId)
        this.copies.delete(workloadId)
        this.exitContainer(workloadId, first!.name, 137)
        this.#onChange()
      })
    }
    this.#onChange()
  }

  #end(workloadId: string): void {
    const child = this.#children.get(workloadId)
    this.#children.delete(workloadId)
    child?.kill('SIGKILL')
    this.copies.delete(workloadId)
  }
}

import { BeemeshError, type BeemeshErrorOptions } from '../common/index.ts'

/** Every code an engine or the registry throws. Tables elsewhere map them outward, and tests prove those complete. */
export const RUNTIME_ERROR_CODES = [
  /** No engine of that name is registered. */
  'ENGINE_NOT_FOUND',
  /** The engine is registered, but cannot run anything on this machine now; the message says why. */
  'ENGINE_UNAVAILABLE',
  /** The engine did not answer before the deadline; what it was doing has been undone as far as it lets us. */
  'ENGINE_TIMEOUT',
  /** The engine answered with an error that none of the other codes describes. */
  'ENGINE_FAILED',
  /** This engine cannot run the pod as written. */
  'POD_REFUSED',
  /** The engine has no room for the pod's limits. */
  'RESOURCES_EXHAUSTED',
  /** The image is not on this machine, and may not or cannot be pulled. */
  'IMAGE_NOT_FOUND',
  /** The image's registry did not give it to us. */
  'IMAGE_PULL_FAILED',
  /** A host port the pod asks for is taken, by a workload or by any other process. */
  'PORT_IN_USE',
  /** A workload with this ID exists; it was left alone. */
  'NAME_IN_USE',
  /** A container could not be started: no such command, no permission, a failed init container. */
  'START_FAILED',
  /** The container cannot be started again in place; a new deployment of the workload may work. */
  'RESTART_FAILED',
  /** The engine's storage is full. */
  'STORAGE_FULL',
  /** The volume belongs to a workload that is still there. */
  'VOLUME_IN_USE',
  /** There is a volume of this name that we did not make. */
  'VOLUME_NOT_OURS',
  /** The command could not be run in the container: it does not run, or has no such program. */
  'EXEC_FAILED',
  /** The command did not end within its time, and was killed. */
  'EXEC_TIMEOUT',
  /** The engine does not know the workload, or the workload has no such container. */
  'WORKLOAD_NOT_FOUND',
  /** What kills workloads whose lease is over does not run. */
  'GUARD_UNAVAILABLE'
] as const

export type RuntimeErrorCode = (typeof RUNTIME_ERROR_CODES)[number]

/** The same call may succeed later: the port may become free, the registry or the engine may come back. */
const RETRYABLE: ReadonlySet<RuntimeErrorCode> = new Set([
  'ENGINE_UNAVAILABLE',
  'ENGINE_TIMEOUT',
  'ENGINE_FAILED',
  'RESOURCES_EXHAUSTED',
  'IMAGE_PULL_FAILED',
  'PORT_IN_USE',
  'STORAGE_FULL',
  'VOLUME_IN_USE'
])

/** What went wrong between the node and an engine. `details.engine` names the engine, `details.workloadId` the workload. */
export class RuntimeError extends BeemeshError<RuntimeErrorCode> {
  constructor(code: RuntimeErrorCode, message: string, options: BeemeshErrorOptions = {}) {
    super(code, message, { retryable: RETRYABLE.has(code), ...options })
  }
}

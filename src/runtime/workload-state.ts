import type { EngineContainer, EngineWorkloadState } from './types.ts'

/**
 * The state of a workload from the states of its containers, one rule for every engine. A container that ended with 0 beside one
 * that runs (a helper that has done its work) leaves the workload running.
 */
export function toWorkloadState(containers: readonly EngineContainer[]): EngineWorkloadState {
  if (containers.some(hasFailed)) return 'failed'
  if (containers.length === 0 || containers.some(({ state }) => state === 'created')) return 'starting'
  return containers.every(({ state }) => state === 'exited') ? 'stopped' : 'running'
}

function hasFailed({ state, exitCode }: EngineContainer): boolean {
  return state === 'unknown' || (state === 'exited' && exitCode !== 0)
}

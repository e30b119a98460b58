import { constants } from 'node:os'
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

/** 128 + SIGKILL: what the kernel's out-of-memory killer leaves, and `kill -9` too. */
export const SIGKILL_EXIT = 137

/** The end of a container as {@link EngineContainer} says it. */
export function toEnd(
  exitCode: number,
  oomKilled: boolean
): Pick<EngineContainer, 'exitCode' | 'signal' | 'oomKilled'> {
  const signal = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0]
  return { exitCode, oomKilled, ...(signal === undefined ? {} : { signal }) }
}

/** One sentence for a container that ended otherwise than with 0. */
export function describeEnd({ name, exitCode, signal, oomKilled }: EngineContainer): string {
  const why =
    oomKilled === true ? ', killed for exceeding its memory' : signal === undefined ? '' : ` (${signal})`
  return `container "${name}" ended with ${exitCode}${why}`
}

import type { Room } from '../types.ts'
import type { NodeState } from '../world.ts'

/** Shares of what a node has that are left after one more copy, 0 to 1; 0 where it does not say what it has. */
export function shareLeft(
  { free, candidate: { allocatable } }: NodeState,
  perCopy: Omit<Room, 'pods'>
): { readonly cpu: number; readonly memory: number; readonly pods: number } {
  const share = (left: number, of: number) => (of > 0 ? Math.min(1, Math.max(0, left / of)) : 0)
  return {
    cpu: share(free.cpuMillis - perCopy.cpuMillis, allocatable.cpuMillis),
    memory: share(free.memoryBytes - perCopy.memoryBytes, allocatable.memoryBytes),
    pods: share(free.pods - 1, allocatable.pods)
  }
}

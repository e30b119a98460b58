import { GRACE_MS, LATE_MS } from './constants.ts'

/**
 * Calls `act` after `ms`, but not before what has arrived was read: timers run before sockets, so after a blocked loop an
 * answer that is here already would count as missing. `late`: by how much the timer was late. Returns the way to cancel it.
 */
export function fairTimeout(ms: number, now: () => number, act: (lateMs: number) => void): () => void {
  let timer: NodeJS.Timeout | undefined
  let immediate: NodeJS.Immediate | undefined
  const dueMs = now() + ms
  timer = setTimeout(() => {
    const lateMs = Math.max(0, now() - dueMs)
    if (lateMs > LATE_MS) timer = setTimeout(() => act(lateMs), GRACE_MS)
    else immediate = setImmediate(() => act(lateMs))
  }, ms)
  return () => {
    clearTimeout(timer)
    clearImmediate(immediate)
  }
}

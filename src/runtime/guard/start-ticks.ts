import { readFileSync } from 'node:fs'

/** State and start time follow the name, which may hold any character: fields 3 and 22 of proc(5). */
const STATE = 0
const STARTED = 19

/** When a process began, in ticks since boot: with its PID the only name that is never used again. Undefined when it is gone. */
export function startTicks(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[STATE] === 'Z' || fields[STATE] === 'X' ? undefined : Number(fields[STARTED])
  } catch {
    return undefined
  }
}

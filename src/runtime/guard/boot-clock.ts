import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/**
 * Time since the machine was switched on, ms, its sleep included (CLOCK_BOOTTIME): what a lease is measured by, because the clock on the
 * wall can be set and a monotonic one stands still while the machine sleeps. In steps of 10 ms.
 */
export function bootClockMs(): number {
  try {
    // the same file that the guard reads, so that both mean the same moment
    const [seconds = ''] = readFileSync('/proc/uptime', 'utf8').split(' ')
    const ms = Math.round(Number(seconds) * 1000)
    if (Number.isFinite(ms) && ms > 0) return ms
  } catch {} // because other systems have no such file
  return Math.round(uptime() * 1000)
}

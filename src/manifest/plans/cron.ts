import { Cron } from 'croner'
import type { CronPlan } from './types.ts'

/** Where no time zone is written: nodes stand in many. */
export const DEFAULT_TIME_ZONE = 'UTC'

// because the library knows more than Kubernetes (L, W, #, seconds, years), and what passes here must mean the same there
const VALUE = '(?:\\d{1,2}|[A-Za-z]{3})'
const ITEM = `(?:\\*|\\?|${VALUE}(?:-${VALUE})?)(?:/\\d{1,2})?`
const FIELD = `${ITEM}(?:,${ITEM}){0,60}`
const SCHEDULE = new RegExp(
  `^(?:@(?:hourly|daily|midnight|weekly|monthly|yearly|annually)|${FIELD}(?: +${FIELD}){4})$`
)
const LONGEST_SCHEDULE = 256
/** Two runs are at least so far apart. */
const SLOT_MS = 60_000

/** Why this is no schedule; undefined when it is one. Never quotes it. */
export function scheduleProblem(schedule: string): string | undefined {
  if (/^(?:CRON_)?TZ=/.test(schedule)) return 'must not name a time zone; write timeZone beside it'
  const trimmed = schedule.trim()
  if (trimmed.length > LONGEST_SCHEDULE || !SCHEDULE.test(trimmed))
    return 'must be five fields such as `*/5 2-4 * * MON`, or one of @hourly, @daily, @weekly, @monthly, @yearly'
  try {
    return compile(trimmed, DEFAULT_TIME_ZONE).nextRun(new Date(0)) === null
      ? 'names a day that never comes'
      : undefined
  } catch {
    return 'has a number, a name or a range that is none: minutes 0-59, hours 0-23, days 1-31, months 1-12, weekdays 0-7'
  }
}

/** Whether this machine knows the time zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return /^[A-Za-z]/.test(name)
  } catch {
    return false
  }
}

/**
 * The first time the schedule comes after `afterMs`, both in ms since the epoch; a day of month and a weekday that are
 * both written are either-or. In the hour that a clock skips it comes an hour later; in the one that repeats, once.
 * Says nothing of `suspend`. Pure, but for the machine's table of time zones.
 * @returns Infinity when it never comes
 */
export function nextRun(
  { schedule, timeZone }: Pick<CronPlan, 'schedule' | 'timeZone'>,
  afterMs: number
): number {
  return compile(schedule.trim(), timeZone).nextRun(new Date(afterMs))?.getTime() ?? Number.POSITIVE_INFINITY
}

/**
 * The last time the schedule came after `afterMs` and not after `nowMs`; undefined when it did not. In about thirty steps,
 * however many times it came.
 */
export function lastRun(
  cron: Pick<CronPlan, 'schedule' | 'timeZone'>,
  afterMs: number,
  nowMs: number
): number | undefined {
  if (nextRun(cron, afterMs) > nowMs) return undefined
  let [before, late] = [afterMs, nowMs]
  while (late - before > SLOT_MS / 2) {
    const middle = Math.floor((before + late) / 2)
    if (nextRun(cron, middle) <= nowMs) before = middle
    else late = middle
  }
  return nextRun(cron, before)
}

function compile(schedule: string, timezone: string): Cron {
  return new Cron(schedule, { mode: '5-part', sloppyRanges: true, paused: true, timezone })
}

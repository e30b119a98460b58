import { expect } from 'chai'
import { lastRun, nextRun } from '../../../src/manifest/index.ts'
import { isTimeZone, scheduleProblem } from '../../../src/manifest/plans/cron.ts'
import { cronJob, parseOne, refuseAt } from '../fixtures/manifests.ts'

const next = (schedule: string, from: string, timeZone = 'UTC') =>
  new Date(nextRun({ schedule, timeZone }, Date.parse(from))).toISOString()

describe('manifest/plans/cron', () => {
  const runs: readonly (readonly [schedule: string, from: string, next: string, timeZone?: string])[] = [
    ['*/5 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00.000Z'],
    ['5/15 2-4 * * *', '2026-01-01T02:06:00Z', '2026-01-01T02:20:00.000Z'],
    ['? 3 * * ?', '2026-01-01T00:00:00Z', '2026-01-01T03:00:00.000Z'],
    ['0 0 * * MON,wed', '2026-01-01T00:00:00Z', '2026-01-05T00:00:00.000Z'],
    ['0 0 13 * 5', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.000Z'],
    ['0 0 29 FEB *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['@hourly', '2026-01-01T00:30:00Z', '2026-01-01T01:00:00.000Z'],
    ['@weekly', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00.000Z'],
    [' 0 3 * * * ', '2026-01-01T00:00:00Z', '2026-01-01T03:00:00.000Z'],
    ['0 3 * * *', '2026-07-01T00:00:00Z', '2026-07-01T01:00:00.000Z', 'Europe/Berlin'],
    ['30 2 * * *', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00.000Z', 'Europe/Berlin'],
    ['30 2 * * *', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00.000Z', 'Europe/Berlin']
  ]
  for (const [schedule, from, expected, timeZone] of runs)
    it(`runs ${schedule} after ${from} at ${expected} ${timeZone ?? ''}`, () => {
      expect(next(schedule, from, timeZone)).to.equal(expected)
    })

  it('runs after the time given, never at it, however often it is asked', () => {
    let at = Date.parse('2026-01-01T00:00:00Z')
    for (let round = 1; round <= 100; round += 1) {
      at = nextRun({ schedule: '0 * * * *', timeZone: 'UTC' }, at)
      expect(new Date(at).toISOString()).to.equal(new Date(Date.UTC(2026, 0, 1, round)).toISOString())
    }
  })

  it('finds the last run that is due at once, however many were missed', () => {
    const last = (schedule: string, after: string, now: string) =>
      lastRun({ schedule, timeZone: 'UTC' }, Date.parse(after), Date.parse(now))
    expect(last('* * * * *', '2020-01-01T00:00:00Z', '2026-01-01T00:00:30Z')).to.equal(Date.UTC(2026, 0, 1))
    expect(last('* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:00:59Z')).to.equal(undefined)
    expect(last('* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z')).to.equal(
      Date.UTC(2026, 0, 1, 0, 1)
    )
    expect(last('0 3 1 * *', '2020-01-01T00:00:00Z', '2026-05-20T00:00:00Z')).to.equal(
      Date.UTC(2026, 4, 1, 3)
    )
    expect(last('0 0 30 2 *', '2020-01-01T00:00:00Z', '2026-05-20T00:00:00Z')).to.equal(undefined)
  })

  it('says Infinity of a schedule that never comes', () => {
    expect(nextRun({ schedule: '0 0 30 2 *', timeZone: 'UTC' }, 0)).to.equal(Number.POSITIVE_INFINITY)
  })

  const wrong = [
    '',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '*/0 * * * *',
    '5-1 * * * *',
    '0 0 * * 8',
    '0 0 * * FOO',
    '0 0 L * *',
    '0 0 15W * *',
    '0 0 * * 1#2',
    'H * * * *',
    '1,,2 * * * *',
    '@every 5m',
    '@reboot',
    'TZ=UTC 0 3 * * *',
    'CRON_TZ=UTC 0 3 * * *',
    '0 0 30 2 *',
    '0 0 31 4,6 *',
    `${'1,'.repeat(5000)}1 * * * *`
  ]
  for (const schedule of wrong)
    it(`refuses the schedule ${JSON.stringify(schedule.slice(0, 30))}`, () => {
      expect(scheduleProblem(schedule)).to.be.a('string')
      refuseAt('spec.schedule', 'MANIFEST_INVALID', cronJob({ schedule }))
    })

  it('knows time zones by their IANA names only', () => {
    expect(['Europe/Berlin', 'UTC', 'America/New_York'].every(isTimeZone)).to.equal(true)
    expect(['+02:00', 'Local', 'Mars/Base', '', '../etc'].some(isTimeZone)).to.equal(false)
    refuseAt('spec.timeZone', 'MANIFEST_INVALID', cronJob({ timeZone: 'Mars/Base' }))
  })

  it('reads a CronJob with the defaults of Kubernetes, and UTC', () => {
    const { cron, job, replicas } = parseOne(cronJob())
    expect(cron).to.deep.equal({
      schedule: '0 3 * * *',
      timeZone: 'UTC',
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulHistory: 3,
      failedHistory: 1
    })
    expect(job?.completions).to.equal(1)
    expect(replicas).to.equal(1)
  })

  it('reads what a CronJob writes', () => {
    const { cron, job } = parseOne(
      cronJob(
        {
          timeZone: 'Europe/Berlin',
          concurrencyPolicy: 'Forbid',
          suspend: true,
          startingDeadlineSeconds: 60,
          successfulJobsHistoryLimit: 0,
          failedJobsHistoryLimit: 5
        },
        { backoffLimit: 0, activeDeadlineSeconds: 30 }
      )
    )
    expect(cron).to.deep.include({
      timeZone: 'Europe/Berlin',
      concurrencyPolicy: 'Forbid',
      suspend: true,
      startingDeadlineMs: 60_000,
      successfulHistory: 0,
      failedHistory: 5
    })
    expect(job).to.deep.include({ backoffLimit: 0, activeDeadlineMs: 30_000 })
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import type { Autoscale, ScalingRules } from '../../../src/manifest/index.ts'
import {
  type AutoscaleHistory,
  type AutoscaleInput,
  type CopyUse,
  desiredReplicas,
  EMPTY_HISTORY
} from '../../../src/scheduler/plan/index.ts'

const NOW = 10_000_000
const SECOND = 1000
const FREE: ScalingRules = {
  stabilizationMs: 0,
  select: 'Max',
  policies: [{ type: 'Percent', value: 1_000_000, periodMs: 15_000 }]
}
const AT_ONCE = {
  scaleUp: FREE,
  scaleDown: { ...FREE, policies: [{ type: 'Percent' as const, value: 100, periodMs: 15_000 }] }
}

function spec(fields: Partial<Autoscale> = {}): Autoscale {
  return {
    minReplicas: 1,
    maxReplicas: 50,
    metrics: [{ resource: 'cpu', utilization: 50 }],
    requests: { cpuMillis: 1000, memoryBytes: 1000 },
    behaviour: AT_ONCE,
    ...fields
  }
}

/** A copy that has been ready for long. */
function copy(cpuMillis: number | undefined, fields: Partial<CopyUse> = {}): CopyUse {
  const long = NOW - 3_600_000
  return {
    state: 'running',
    startedAtMs: long,
    ready: true,
    readySinceMs: long,
    cpuMillis,
    measuredAtMs: NOW,
    windowMs: 15_000,
    ...fields
  }
}

const copies = (...cpu: readonly (number | undefined)[]) => cpu.map((one) => copy(one))
const fresh = (cpu: number, fields: Partial<CopyUse> = {}) =>
  copy(cpu, { startedAtMs: NOW - 60_000, readySinceMs: NOW - 50_000, ...fields })

function ask(metrics: readonly CopyUse[], fields: Partial<AutoscaleInput> = {}) {
  return desiredReplicas({
    spec: spec(),
    current: metrics.length,
    metrics,
    history: EMPTY_HISTORY,
    nowMs: NOW,
    ...fields
  })
}
const wanted = (...args: Parameters<typeof ask>) => ask(...args).replicas

describe('scheduler/plan/autoscale: copies by what they use', () => {
  it('multiplies by usage over target, rounded up', () => {
    expect(wanted(copies(1000, 1000))).to.equal(4)
    expect(wanted(copies(900, 500, 400))).to.equal(4) // 60 % of 50 is 1.2, times 3
    expect(wanted(copies(200, 200, 200))).to.equal(2) // 0.4 x 3 = 1.2
    expect(wanted(copies(0, 0, 0, 0))).to.equal(1) // the minimum
  })

  it('changes nothing within 10 % of the target, which includes 10 %', () => {
    expect(wanted(copies(550, 550))).to.equal(2)
    expect(wanted(copies(450, 450))).to.equal(2)
    expect(wanted(copies(560, 560))).to.equal(3)
    expect(wanted(Array.from({ length: 10 }, () => copy(440)))).to.equal(9)
  })

  it('counts whole percent only', () => {
    expect(wanted(copies(559, 559))).to.equal(2)
  })

  it('takes the metric that asks for most', () => {
    const metrics = [
      { resource: 'cpu', utilization: 50 },
      { resource: 'memory', utilization: 50 }
    ] as const
    const both = copies(500, 500).map((one) => ({ ...one, memoryBytes: 1000 }))
    const result = ask(both, { spec: spec({ metrics }) })
    expect(result.replicas).to.equal(4)
    expect(result.reason).to.equal('memory at 100 % of what is requested, target 50 %')
  })

  it('takes nothing away while one of several metrics is not known, but adds', () => {
    const metrics = [
      { resource: 'cpu', utilization: 50 },
      { resource: 'memory', utilization: 50 }
    ] as const
    expect(wanted(copies(100, 100), { spec: spec({ metrics }) })).to.equal(2)
    expect(wanted(copies(1000, 1000), { spec: spec({ metrics }) })).to.equal(4)
  })

  it('changes nothing where nothing is known', () => {
    expect(wanted(copies(undefined, undefined))).to.equal(2)
    expect(wanted([], { current: 3 })).to.equal(3)
    expect(wanted([copy(900, { state: 'pending' })])).to.equal(1)
  })

  it('goes into the bounds at once, and leaves 0 alone', () => {
    const bounds = { spec: spec({ minReplicas: 3, maxReplicas: 5 }) }
    expect(wanted(copies(500), bounds)).to.equal(3)
    expect(wanted(copies(1000, 1000, 1000), bounds)).to.equal(5)
    expect(wanted(copies(0, 0, 0, 0), bounds)).to.equal(3)
    expect(wanted([], { ...bounds, current: 9 })).to.equal(5)
    expect(wanted([], { ...bounds, current: 0 })).to.equal(0)
  })

  it('takes a copy of which nothing is known to be idle when adding, and to be full when taking away', () => {
    expect(wanted(copies(1000, 1000, undefined))).to.equal(4) // 66 % over 3: 1.32 x 3
    expect(wanted(copies(100, 100, undefined))).to.equal(3) // 40 % over 3: 0.8 x 3, up
    expect(wanted(copies(600, undefined))).to.equal(2) // 30 % would turn it around
    expect(
      wanted(copies(0, 0, 0, undefined), { spec: spec({ metrics: [{ resource: 'cpu', utilization: 200 }] }) })
    ).to.equal(1)
  })

  it('counts no CPU of a copy that has only just started, and counts it as idle when adding', () => {
    const starting = fresh(5000, { ready: false })
    expect(wanted([copy(500), starting])).to.equal(2)
    expect(wanted([copy(2000), starting])).to.equal(4) // 100 % over 2, not 350 %
    const measuredTooEarly = fresh(5000, { measuredAtMs: NOW - 45_000 })
    expect(wanted([copy(2000), measuredTooEarly])).to.equal(4)
    expect(wanted([copy(500), fresh(5000)])).to.equal(11)
    expect(wanted([copy(2000), copy(5000, { state: 'pending' })])).to.equal(4)
  })

  it('counts a copy that became unready late, and not one that never was ready', () => {
    expect(wanted([copy(500), copy(1500, { ready: false, readySinceMs: NOW - 1000 })])).to.equal(4)
    const never = copy(1500, { ready: false })
    expect(wanted([copy(500), never])).to.equal(2)
    expect(wanted([copy(500), copy(1500, { readySinceMs: undefined })])).to.equal(2)
  })

  it('does not count a copy that is leaving', () => {
    expect(wanted([copy(500), copy(500), copy(5000, { state: 'leaving' })], { current: 2 })).to.equal(2)
  })

  it('says nothing of memory that is unready', () => {
    const metrics = [{ resource: 'memory', utilization: 50 }] as const
    const starting = fresh(0, { ready: false, memoryBytes: 1000 })
    expect(wanted([starting], { spec: spec({ metrics }) })).to.equal(2)
  })
})

describe('scheduler/plan/autoscale: how fast', () => {
  /** Asks again and again, each time with what came of the last. @returns the copies after each */
  function run(of: Autoscale, start: number, uses: readonly number[], stepMs = 15 * SECOND): number[] {
    let [current, history]: [number, AutoscaleHistory] = [start, EMPTY_HISTORY]
    return uses.map((cpu, index) => {
      const metrics = Array.from({ length: current }, () => copy(cpu))
      const result = desiredReplicas({ spec: of, current, metrics, history, nowMs: NOW + index * stepMs })
      ;[current, history] = [result.replicas, result.history]
      return current
    })
  }
  const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

  const defaults = spec({
    behaviour: {
      scaleUp: {
        stabilizationMs: 0,
        select: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodMs: 15_000 },
          { type: 'Percent', value: 100, periodMs: 15_000 }
        ]
      },
      scaleDown: { ...AT_ONCE.scaleDown, stabilizationMs: 300_000 }
    }
  })

  it('adds 4 copies or doubles them every 15 s by default', () => {
    expect(run(defaults, 1, times(5, 5000))).to.deep.equal([5, 10, 20, 40, 50])
  })

  it('takes away only what was not wanted for 300 s, also at the very beginning', () => {
    const seen = run(defaults, 10, times(22, 50))
    expect(seen.slice(0, 20)).to.deep.equal(times(20, 10))
    expect(seen.slice(20)).to.deep.equal([1, 1])
    const reason = ask(copies(50, 50), { spec: defaults }).reason
    expect(reason).to.equal(
      'cpu at 5 % of what is requested, target 50 %; 1 wanted, held by the stabilisation window'
    )
  })

  it('keeps the most that was wanted in the window of scaling down', () => {
    const history = { ...EMPTY_HISTORY, wanted: [{ atMs: NOW - 100_000, replicas: 7 }] }
    expect(wanted(times(10, copy(50)), { spec: defaults, history })).to.equal(7)
    expect(wanted(times(10, copy(50)), { spec: defaults, history, nowMs: NOW + 200_000 })).to.equal(1)
  })

  it('keeps the fewest that was wanted in the window of scaling up', () => {
    const up = spec({ behaviour: { ...AT_ONCE, scaleUp: { ...FREE, stabilizationMs: 60_000 } } })
    expect(run(up, 2, times(6, 1000))).to.deep.equal([2, 2, 2, 2, 4, 4])
  })

  const down = (rules: Partial<ScalingRules>) =>
    spec({ behaviour: { ...AT_ONCE, scaleDown: { ...FREE, ...rules } } })
  const both = [
    { type: 'Pods', value: 4, periodMs: 60_000 },
    { type: 'Percent', value: 10, periodMs: 60_000 }
  ] as const

  it('takes away by the policy of the largest change, the smallest, or not at all', () => {
    expect(wanted(times(50, copy(0)), { spec: down({ policies: both }) })).to.equal(45)
    expect(wanted(times(20, copy(0)), { spec: down({ policies: both }) })).to.equal(16)
    expect(wanted(times(20, copy(0)), { spec: down({ policies: both, select: 'Min' }) })).to.equal(18)
    expect(wanted(times(20, copy(0)), { spec: down({ policies: both, select: 'Disabled' }) })).to.equal(20)
  })

  it('counts within a period what was done in it, and begins again after it', () => {
    const slowly = down({ policies: [{ type: 'Pods', value: 2, periodMs: 60_000 }] })
    expect(run(slowly, 10, times(9, 0))).to.deep.equal([8, 8, 8, 8, 6, 6, 6, 6, 4])
  })

  it('adds by policies too, rounded up so that a percentage of few is at least one', () => {
    const up = (select: ScalingRules['select']) =>
      spec({ behaviour: { ...AT_ONCE, scaleUp: { stabilizationMs: 0, select, policies: both } } })
    expect(wanted(times(3, copy(5000)), { spec: up('Max') })).to.equal(7)
    expect(wanted(times(3, copy(5000)), { spec: up('Min') })).to.equal(4)
    expect(wanted(times(3, copy(5000)), { spec: up('Disabled') })).to.equal(3)
    expect(run(up('Max'), 3, times(6, 5000))).to.deep.equal([7, 7, 7, 7, 11, 11])
  })

  it('stays within the bounds and remembers no more than its windows, whatever is measured', () => {
    const use = fc.oneof(fc.constant(undefined), fc.integer({ min: 0, max: 100_000 }))
    fc.assert(
      fc.property(
        fc.array(fc.array(use, { maxLength: 12 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 5, max: 50 }),
        (rounds, minReplicas, maxReplicas) => {
          const of = { ...defaults, minReplicas, maxReplicas }
          let [current, history]: [number, AutoscaleHistory] = [minReplicas, EMPTY_HISTORY]
          for (const [index, cpu] of rounds.entries()) {
            const input = { spec: of, current, metrics: copies(...cpu), history, nowMs: NOW + index * 15_000 }
            const before = structuredClone(input)
            const result = desiredReplicas(input)
            expect(desiredReplicas(before)).to.deep.equal(result)
            expect(result.replicas).to.be.within(minReplicas, maxReplicas)
            expect(result.history.wanted.length).to.be.at.most(22)
            expect(result.history.added.length + result.history.removed.length).to.be.at.most(4)
            ;[current, history] = [result.replicas, result.history]
          }
        }
      ),
      { seed: 31, numRuns: 300 }
    )
  })
})

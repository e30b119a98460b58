import { expect } from 'chai'
import fc from 'fast-check'
import { STRATEGIES } from '../../../src/manifest/index.ts'
import {
  type Candidate,
  formatPlan,
  type Plan,
  type PlanRequest,
  plan
} from '../../../src/scheduler/plan/index.ts'
import { candidates, HOST, requests } from './arbitrary.ts'
import { MiB, node, planFor, request, seeded } from './fixtures.ts'

function byPeer(all: readonly Candidate[]): Map<string, Candidate> {
  return new Map(all.map((one) => [one.peerId, one]))
}

/** Written apart from the planner, and simply: what must hold of each node that is taken. */
function mayTake({ name, peerId, labels, scheduling }: Candidate, { rules: its }: PlanRequest): boolean {
  const disk = labels.disk
  const hard = ['NoSchedule', 'NoExecute'].includes(labels['taint.beemesh.io/gpu']?.split(':')[1] ?? '')
  return (
    scheduling &&
    peerId !== 'peer-n7' &&
    (its.nodes.length === 0 || its.nodes.includes(name) || its.nodes.includes(peerId)) &&
    (its.nodeSelector.disk === undefined || disk === 'ssd') &&
    (its.requiredTerms.length === 0 ||
      its.requiredTerms.some(({ expressions: [expression] }) =>
        expression === undefined
          ? name !== 'n0'
          : expression.operator === 'In'
            ? disk === 'ssd'
            : disk === undefined
      )) &&
    (!hard || its.tolerations.length > 0)
  )
}

/** Copies by the value of a label, those that ran before and those of the plan up to `until`. */
function domains(
  all: readonly Candidate[],
  key: string,
  { assignments }: Plan,
  until: number
): Map<string, number> {
  const counts = new Map<string, number>()
  for (const one of all) {
    const value = key === HOST ? one.name : one.labels.zone
    if (value === undefined) continue
    const placed = assignments.slice(0, until).filter(({ peerId }) => peerId === one.peerId).length
    counts.set(value, (counts.get(value) ?? 0) + one.ordinals.length + placed)
  }
  return counts
}

describe('scheduler/plan: properties', () => {
  it('never takes more than is free, nor a node that may not run it', () => {
    fc.assert(
      fc.property(candidates, requests, fc.integer(), (all, of, seed) => {
        const { assignments } = planFor(all, of, seed)
        const nodes = byPeer(all)
        for (const [peerId, copies] of Map.groupBy(assignments, (one) => one.peerId)) {
          const { free } = nodes.get(peerId)!
          expect(mayTake(nodes.get(peerId)!, of)).to.equal(true)
          expect(copies.length).to.be.at.most(free.pods)
          if (of.perCopy.cpuMillis > 0)
            expect(copies.length * of.perCopy.cpuMillis).to.be.at.most(free.cpuMillis)
          if (of.perCopy.memoryBytes > 0)
            expect(copies.length * of.perCopy.memoryBytes).to.be.at.most(free.memoryBytes)
        }
      }),
      { seed: 21, numRuns: 1000 }
    )
  })

  it('never breaks a required anti-affinity or spread constraint with any copy it places', () => {
    fc.assert(
      fc.property(candidates, requests, fc.integer(), (all, of, seed) => {
        const result = planFor(all, of, seed)
        const nodes = byPeer(all)
        for (const [index, { peerId }] of result.assignments.entries()) {
          const on = nodes.get(peerId)!
          for (const { topologyKey: key, required } of of.rules.apart) {
            const value = key === HOST ? on.name : on.labels.zone
            if (required && value !== undefined)
              expect(domains(all, key, result, index).get(value), 'apart').to.equal(0)
          }
          for (const { topologyKey: key, required, maxSkew } of of.rules.spread) {
            if (!required) continue
            const value = key === HOST ? on.name : on.labels.zone
            const counted = all.filter((one) =>
              mayTake(
                {
                  ...one,
                  scheduling: true,
                  peerId: one.peerId === 'peer-n7' ? 'other' : one.peerId,
                  labels: { ...one.labels, 'taint.beemesh.io/gpu': '' }
                },
                of
              )
            )
            const counts = domains(counted, key, result, index + 1)
            expect(value, 'has the label').to.not.equal(undefined)
            expect(counts.get(value!)! - Math.min(...counts.values()), 'skew').to.be.at.most(maxSkew)
          }
        }
      }),
      { seed: 22, numRuns: 1000 }
    )
  })

  it('answers for every copy and every node, and says why something is left over', () => {
    fc.assert(
      fc.property(candidates, requests, fc.integer(), (all, of, seed) => {
        const result = planFor(all, of, seed)
        const { assignments, unplaced, explained, summary } = result
        if (!of.perNode) {
          expect([...assignments.map(({ ordinal }) => ordinal), ...unplaced]).to.deep.equal(of.ordinals)
          expect(summary === '').to.equal(unplaced.length === 0)
        }
        expect(explained.map(({ peerId }) => peerId)).to.have.members(all.map(({ peerId }) => peerId))
        for (const { reason, ordinals, verdict } of explained) {
          expect(reason).to.not.equal('')
          expect(verdict === 'taken').to.equal(ordinals.length > 0)
        }
        expect(formatPlan(result).split('\n')).to.have.length(all.length + 2)
      }),
      { seed: 23, numRuns: 500 }
    )
  })

  it('is the same for the same random numbers, whoever answered first, and changes nothing it was given', () => {
    fc.assert(
      fc.property(candidates, requests, fc.integer(), (all, of, seed) => {
        const before = structuredClone({ all, of })
        const first = planFor(all, of, seed)
        expect(planFor([...all].reverse(), of, seed)).to.deep.equal(first)
        expect({ all, of }).to.deep.equal(before)
      }),
      { seed: 24, numRuns: 500 }
    )
  })

  it('leaves over no copy that a node could still take, except to keep them in one datacenter', () => {
    fc.assert(
      fc.property(candidates, requests, fc.integer(), (all, of, seed) => {
        fc.pre(!of.perNode && of.rules.strategy !== 'datacenter')
        const { unplaced, explained } = planFor(all, of, seed)
        if (unplaced.length > 0) expect(explained.some(({ verdict }) => verdict === 'fits')).to.equal(false)
      }),
      { seed: 25, numRuns: 500 }
    )
  })

  it('places everything where room is ample and nothing is demanded', () => {
    const ample = fc
      .integer({ min: 1, max: 12 })
      .map((count) => Array.from({ length: count }, (_, i) => node(`n${i}`)))
    const strategies = fc.constantFrom(...STRATEGIES)
    fc.assert(
      fc.property(
        ample,
        strategies,
        fc.integer({ min: 0, max: 7 }),
        fc.integer(),
        (all, strategy, copies, seed) => {
          const nodes = strategy === 'manual' ? all.map(({ name }) => name) : []
          const ordinals = Array.from({ length: copies }, (_, ordinal) => ordinal)
          const result = planFor(all, request({ strategy, nodes }, { ordinals }), seed)
          expect(result.unplaced).to.deep.equal([])
          expect(result.summary).to.equal('')
          if (strategy === 'auto' || strategy === 'spread')
            expect(new Set(result.assignments.map(({ peerId }) => peerId)).size).to.equal(
              Math.min(copies, all.length)
            )
        }
      ),
      { seed: 26, numRuns: 300 }
    )
  })

  it('puts exactly one copy on each matching node with room that has none, where one is to run on each', () => {
    fc.assert(
      fc.property(candidates, requests, fc.integer(), (all, drawn, seed) => {
        const of = { ...drawn, perNode: true, rules: { ...drawn.rules, apart: [], spread: [] } }
        const { cpuMillis, memoryBytes } = of.perCopy
        const fits = ({ free }: Candidate) =>
          free.pods >= 1 && free.cpuMillis >= cpuMillis && free.memoryBytes >= memoryBytes
        const matching = all.filter((one) => mayTake(one, of) && one.ordinals.length === 0)
        const { assignments, unplaced } = planFor(all, of, seed)
        expect(assignments.map(({ peerId }) => peerId)).to.have.members(
          matching.filter(fits).map(({ peerId }) => peerId)
        )
        expect(unplaced).to.have.length(matching.length - assignments.length)
      }),
      { seed: 27, numRuns: 500 }
    )
  })

  for (const strategy of ['spread', 'auto'] as const)
    it(`balances 200 manifests with 3 copies over 10 equal nodes by ${strategy}: at most 1.2 of the mean`, () => {
      let nodes = Array.from({ length: 10 }, (_, index) => node(`n${index}`))
      const random = seeded(4)
      const copies = new Map<string, number>()
      const perCopy = { cpuMillis: 10, memoryBytes: 16 * MiB, storageBytes: 0 }
      for (let manifest = 0; manifest < 200; manifest += 1) {
        const { assignments } = plan({ candidates: nodes }, request({ strategy }, { perCopy }), random)
        expect(new Set(assignments.map(({ peerId }) => peerId)).size).to.equal(3)
        for (const { peerId } of assignments) copies.set(peerId, (copies.get(peerId) ?? 0) + 1)
        nodes = nodes.map((one) => {
          const took = assignments.filter(({ peerId }) => peerId === one.peerId).length
          const { free } = one
          return {
            ...one,
            free: {
              ...free,
              cpuMillis: free.cpuMillis - took * perCopy.cpuMillis,
              memoryBytes: free.memoryBytes - took * perCopy.memoryBytes,
              pods: free.pods - took
            }
          }
        })
      }
      expect(Math.max(...copies.values()) / 60).to.be.at.most(1.2)
    })
})

import fc from 'fast-check'
import { type PlacementRules, STRATEGIES } from '../../../src/manifest/index.ts'
import type { Candidate, PlanRequest } from '../../../src/scheduler/plan/index.ts'
import { MiB, node, ROOM, RULES } from './fixtures.ts'

export const ZONE = 'topology.kubernetes.io/zone'
export const HOST = 'kubernetes.io/hostname'

const candidate = fc
  .record({
    cpu: fc.integer({ min: 0, max: 4000 }),
    memory: fc.integer({ min: 0, max: 8192 }),
    pods: fc.integer({ min: 0, max: 6 }),
    load: fc.double({ min: 0, max: 1.5, noNaN: true }),
    reliability: fc.double({ min: 0, max: 1, noNaN: true }),
    zone: fc.constantFrom(undefined, 'a', 'b', 'c'),
    disk: fc.constantFrom(undefined, 'ssd', 'hdd'),
    taint: fc.constantFrom(undefined, ':NoSchedule', 'x:PreferNoSchedule', ':NoExecute'),
    scheduling: fc.boolean(),
    ordinals: fc.uniqueArray(fc.integer({ min: 100, max: 103 }), { maxLength: 2 })
  })
  .map(({ cpu, memory, pods, zone, disk, taint, ...rest }) => ({
    ...rest,
    free: { ...ROOM, cpuMillis: cpu, memoryBytes: memory * MiB, pods },
    labels: {
      ...(zone === undefined ? {} : { zone }),
      ...(disk === undefined ? {} : { disk }),
      ...(taint === undefined ? {} : { 'taint.beemesh.io/gpu': taint })
    }
  }))
/** Up to 8 nodes, some of them full, cordoned or tainted, some with copies. */
export const candidates = fc
  .array(candidate, { maxLength: 8 })
  .map((all): Candidate[] => all.map((fields, index) => node(`n${index}`, fields)))

const term = fc.constantFrom(
  { expressions: [{ key: 'disk', operator: 'In', values: ['ssd'] } as const], fields: [] },
  { expressions: [{ key: 'disk', operator: 'DoesNotExist', values: [] } as const], fields: [] },
  { expressions: [], fields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n0'] } as const] }
)
const topologyKey = fc.constantFrom(ZONE, HOST)
const rules: fc.Arbitrary<PlacementRules> = fc
  .record({
    strategy: fc.constantFrom(...STRATEGIES),
    isNamed: fc.boolean(),
    nodeSelector: fc.constantFrom<PlacementRules['nodeSelector']>({}, {}, { disk: 'ssd' }),
    requiredTerms: fc.array(term, { maxLength: 2 }),
    preferredTerms: fc.array(fc.record({ weight: fc.integer({ min: 1, max: 100 }), term }), { maxLength: 2 }),
    apart: fc.array(
      fc
        .record({ topologyKey, required: fc.boolean() })
        .map((one) => ({ ...one, weight: one.required ? 0 : 50 })),
      { maxLength: 2 }
    ),
    tolerations: fc.constantFrom<PlacementRules['tolerations']>([], [{ key: 'gpu', operator: 'Exists' }]),
    spread: fc.array(
      fc.record({ topologyKey, required: fc.boolean(), maxSkew: fc.integer({ min: 1, max: 2 }) }),
      { maxLength: 2 }
    )
  })
  .map(({ isNamed, ...rest }) => ({
    ...RULES,
    ...rest,
    nodes: isNamed || rest.strategy === 'manual' ? ['n1', 'peer-n2', 'n3'] : []
  }))
/** Up to 8 copies with any constraints; peer-n7 is to be avoided. */
export const requests = fc
  .record({
    rules,
    cpuMillis: fc.integer({ min: 0, max: 2000 }),
    memory: fc.integer({ min: 0, max: 4096 }),
    copies: fc.integer({ min: 0, max: 8 }),
    perNode: fc.boolean()
  })
  .map(
    ({ rules: its, cpuMillis, memory, copies, perNode }): PlanRequest => ({
      rules: its,
      perCopy: { cpuMillis, memoryBytes: memory * MiB, storageBytes: 0 },
      ordinals: Array.from({ length: copies }, (_, ordinal) => ordinal),
      perNode,
      avoid: new Map([['peer-n7', 'failed']])
    })
  )

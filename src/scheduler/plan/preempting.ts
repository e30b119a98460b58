import type { Candidate, Explained, Plan, PlanRequest, Snapshot } from './types.ts'

interface Again {
  readonly snapshot: Snapshot
  readonly request: PlanRequest
  readonly random: () => number
  readonly planOnce: (snapshot: Snapshot, request: PlanRequest, random: () => number) => Plan
}

/** What was not placed goes to nodes that make room for it by stopping copies of lower priority. @param made a plan without that */
export function planPreempting(made: Plan, { snapshot, request, random, planOnce }: Again): Plan {
  const { candidates } = snapshot
  if (!candidates.some(({ freeable }) => freeable !== undefined)) return made
  if (request.rules.strategy === 'datacenter' && !request.perNode) {
    // because all belong into one: what was placed may be in the wrong one
    const whole = planOnce({ ...snapshot, candidates: candidates.map((one) => freed(one)) }, request, random)
    return whole.unplaced.length < made.unplaced.length ? whole : made
  }
  const left = candidates.map((one) => freed(placed(one, made, request)))
  const rest = planOnce({ ...snapshot, candidates: left }, { ...request, ordinals: made.unplaced }, random)
  if (rest.assignments.length === 0) return made
  const more = rest.assignments.map((one) => ({ ...one, reason: `${one.reason}; ${WHY}` }))
  const assignments = [...made.assignments, ...more].sort((a, b) => a.ordinal - b.ordinal)
  const explained = made.explained.map((one) => merge(one, rest))
  return { assignments, unplaced: rest.unplaced, explained, summary: rest.summary }
}

const WHY = 'copies of lower priority make room'

function placed(candidate: Candidate, { assignments }: Plan, { perCopy }: PlanRequest): Candidate {
  const own = assignments.filter(({ peerId }) => peerId === candidate.peerId).map(({ ordinal }) => ordinal)
  const { free } = candidate
  return {
    ...candidate,
    free: {
      cpuMillis: free.cpuMillis - perCopy.cpuMillis * own.length,
      memoryBytes: free.memoryBytes - perCopy.memoryBytes * own.length,
      storageBytes: free.storageBytes - perCopy.storageBytes * own.length,
      pods: free.pods - own.length
    },
    ordinals: [...candidate.ordinals, ...own]
  }
}

function freed(candidate: Candidate): Candidate {
  const { free, freeable } = candidate
  if (freeable === undefined) return candidate
  return {
    ...candidate,
    free: {
      cpuMillis: free.cpuMillis + freeable.cpuMillis,
      memoryBytes: free.memoryBytes + freeable.memoryBytes,
      storageBytes: free.storageBytes,
      pods: free.pods + freeable.pods
    }
  }
}

function merge(before: Explained, { explained }: Plan): Explained {
  const now = explained.find(({ peerId }) => peerId === before.peerId)
  if (now?.verdict !== 'taken') return before
  return { ...now, ordinals: [...before.ordinals, ...now.ordinals], reason: `${now.reason}; ${WHY}` }
}

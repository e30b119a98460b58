import type { Autoscale, ScalingPolicy, ScalingRules } from '../../manifest/index.ts'
import type { AutoscaleHistory, ScaleEvent } from './autoscale.ts'

interface Step {
  readonly current: number
  readonly wanted: number
  readonly history: AutoscaleHistory
  readonly nowMs: number
}

/** The mildest of what was wanted within the windows, and the history with what is wanted now and without what no window sees. */
export function stabilised(
  { behaviour: { scaleUp, scaleDown } }: Autoscale,
  { current, wanted, history, nowMs }: Step
): { readonly replicas: number; readonly history: AutoscaleHistory } {
  const within = (windowMs: number) => history.wanted.filter(({ atMs }) => atMs > nowMs - windowMs)
  const least = Math.min(wanted, ...within(scaleUp.stabilizationMs).map(({ replicas }) => replicas))
  const most = Math.max(wanted, ...within(scaleDown.stabilizationMs).map(({ replicas }) => replicas))
  const longest = Math.max(scaleUp.stabilizationMs, scaleDown.stabilizationMs)
  const periods = [...scaleUp.policies, ...scaleDown.policies].map(({ periodMs }) => periodMs)
  const events = (all: readonly ScaleEvent[]) =>
    all.filter(({ atMs }) => atMs > nowMs - Math.max(0, ...periods))
  return {
    // in this order, as Kubernetes: the window of scaling down has the last word
    replicas: Math.min(Math.max(current, least), most),
    history: {
      wanted: [...within(longest), { atMs: nowMs, replicas: wanted }],
      added: events(history.added),
      removed: events(history.removed)
    }
  }
}

/** What of a wanted change bounds and policies allow now. */
export function changeAllowed(
  { minReplicas, maxReplicas, behaviour: { scaleUp, scaleDown } }: Autoscale,
  { current, wanted, history, nowMs }: Step
): number {
  const atStartOf = ({ periodMs }: ScalingPolicy) =>
    current - changeWithin(history.added, nowMs - periodMs) + changeWithin(history.removed, nowMs - periodMs)
  if (wanted > current) {
    const limits = scaleUp.policies.map((policy) => {
      const from = atStartOf(policy)
      return policy.type === 'Pods' ? from + policy.value : Math.ceil(from * (1 + policy.value / 100))
    })
    return Math.min(wanted, maxReplicas, Math.max(current, select(scaleUp, current, limits, 1)))
  }
  if (wanted < current) {
    const limits = scaleDown.policies.map((policy) => {
      const from = atStartOf(policy)
      return policy.type === 'Pods' ? from - policy.value : Math.trunc(from * (1 - policy.value / 100))
    })
    return Math.max(wanted, minReplicas, Math.min(current, select(scaleDown, current, limits, -1)))
  }
  return wanted
}

function changeWithin(events: readonly ScaleEvent[], afterMs: number): number {
  return events.reduce((sum, { atMs, change }) => (atMs > afterMs ? sum + change : sum), 0)
}

/** The limit of the policy that counts: of the largest change, or of the smallest. @param direction 1 up, -1 down */
function select(
  { select: which }: ScalingRules,
  current: number,
  limits: readonly number[],
  direction: 1 | -1
): number {
  if (which === 'Disabled') return current
  return (which === 'Max') === (direction === 1) ? Math.max(...limits) : Math.min(...limits)
}

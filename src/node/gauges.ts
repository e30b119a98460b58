import type { Metrics } from '@libp2p/interface'
import type { MembersService } from '../members/index.ts'
import type { WorkloadsService } from '../workloads/index.ts'

/** What is read when somebody looks, beside what services count themselves. */
export function registerGauges(
  metrics: Metrics,
  services: {
    readonly members: Pick<MembersService, 'list'>
    readonly workloads: Pick<WorkloadsService, 'list'>
  }
): void {
  const others = () => services.members.list().filter(({ self }) => !self)
  metrics.registerMetricGroup('beemesh_members', {
    label: 'state',
    help: 'Other nodes this one knows, by what it thinks of them',
    calculate: () =>
      count(
        ['alive', 'suspect', 'dead', 'left'],
        others().map(({ state }) => state)
      )
  })
  metrics.registerMetricGroup('beemesh_members_connected', {
    label: 'way',
    help: 'Other nodes this one is connected to',
    calculate: () =>
      count(
        ['direct', 'relayed'],
        others()
          .filter(({ connected }) => connected)
          .map(({ relayed }) => (relayed ? 'relayed' : 'direct'))
      )
  })
  metrics.registerMetricGroup('beemesh_workloads', {
    label: 'state',
    help: 'Copies on this node',
    calculate: () =>
      count(
        ['running', 'ready', 'failed'],
        services.workloads.list().flatMap(({ workloads }) => workloads.map(({ state }) => state))
      )
  })
}

/** How often each value is there; those in `always` also when they are not, so that a graph has no gaps. */
function count(always: readonly string[], values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(always.map((value) => [value, 0]))
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

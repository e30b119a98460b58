import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Placement } from '../../client/index.ts'
import { type ClientOptions, withClient, withClientOptions } from '../client-options.ts'
import { table } from '../output.ts'

/** Between the two readings from which the share of a core is computed. Chosen: long enough to mean something. */
const SAMPLE_MS = 1_000

/** `beemesh top` */
export function addTop(program: Command): void {
  withClientOptions(program.command('top'))
    .description('CPU, memory, network and disk of copies that run')
    .option('--local', 'only on the entry node')
    .action(top)
}

async function top(options: ClientOptions & { readonly local?: boolean }): Promise<void> {
  await withClient(options, async ({ client, output, signal }) => {
    const read = () => client.workloads({ all: options.local !== true, stats: true, signal })
    const before = new Map(
      (await read()).flatMap(({ placements }) => placements).map((one) => [one.workloadId, one])
    )
    await sleep(SAMPLE_MS, undefined, { signal })
    const workloads = (await read()).flatMap(({ kind, name, namespace, placements }) =>
      placements
        .filter(({ stats }) => stats !== undefined)
        .map((one) => ({ kind, name, namespace, ...usage(one, before.get(one.workloadId)) }))
    )
    output.result({ workloads }, () =>
      table(
        ['NAME', 'NODE', 'CPU', 'MEMORY', 'LIMIT', 'NET RX', 'NET TX', 'READ', 'WRITE', 'PIDS', 'WORKLOAD'],
        workloads.map((one) => [
          `${one.kind.toLowerCase()}/${one.name}`,
          one.node,
          one.cpuMillis === undefined ? '-' : `${one.cpuMillis}m`,
          bytes(one.memoryBytes),
          one.memoryLimitBytes === 0 ? '-' : bytes(one.memoryLimitBytes),
          bytes(one.networkRxBytes),
          bytes(one.networkTxBytes),
          bytes(one.blockReadBytes),
          bytes(one.blockWriteBytes),
          String(one.pids),
          one.workloadId
        ])
      )
    )
  })
}

/** @param before the reading before; none, or a restart in between: the share of a core is not known */
function usage({ peerId, node, workloadId, stats }: Placement, before: Placement | undefined) {
  const { at, cpuNanos, ...rest } = stats!
  const elapsedMs = at - (before?.stats?.at ?? at)
  const usedNanos = cpuNanos - (before?.stats?.cpuNanos ?? cpuNanos)
  const known = elapsedMs > 0 && usedNanos >= 0
  const cpuMillis = known ? Math.round(usedNanos / 1_000 / elapsedMs) : undefined
  return { peerId, node, workloadId, cpuMillis, cpuNanos, ...rest }
}

function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

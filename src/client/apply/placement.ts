import { isBeemeshError, safeText } from '../../common/index.ts'
import type { Workload } from '../../generated/fbs/index.ts'
import type { SeenNode } from '../nodes.ts'
import type { Placement } from '../types.ts'

/** A copy as the node told it; every text made safe to show. */
export function toPlacement(
  node: { readonly peerId: string; readonly name: string },
  workload: Workload,
  { errorCode, unchanged }: { errorCode?: string; unchanged?: boolean } = {}
): Placement {
  const message = safeText(workload.message ?? '')
  const failed = workload.state === 'failed'
  return {
    peerId: node.peerId,
    node: node.name,
    workloadId: safeText(workload.workloadId, 63),
    ordinal: workload.ordinal,
    state: workload.state,
    ports: workload.ports.map(({ containerPort, hostPort, hostIp, protocol }) => ({
      containerPort,
      hostPort,
      hostIp: hostIp && safeText(hostIp, 64),
      protocol
    })),
    engine: safeText(workload.engine, 32),
    stats: workload.stats,
    unchanged: unchanged || undefined,
    error: failed ? { code: safeText(errorCode ?? 'START_FAILED', 64), message } : undefined
  }
}

/** A copy that a node could not be asked for, or that it refused. */
export function failedPlacement(
  node: Pick<SeenNode, 'peerId' | 'name'>,
  ordinal: number,
  error: Error
): Placement {
  const code = isBeemeshError(error)
    ? error.code
    : error.name === 'TimeoutError'
      ? 'TIMED_OUT'
      : 'CONNECTION_LOST'
  const hint = isBeemeshError(error) ? error.hint : undefined
  return {
    peerId: node.peerId,
    node: node.name,
    workloadId: '',
    ordinal,
    state: 'failed',
    ports: [],
    error: { code, message: error.message, hint }
  }
}

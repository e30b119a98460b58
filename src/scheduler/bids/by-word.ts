import type { PlacementRules } from '../../manifest/index.ts'
import { plan } from '../plan/index.ts'
import type { Neighbour } from '../types.ts'

/** What a node has free is not known before it bids. */
const ROOM = { cpuMillis: 1, memoryBytes: 1, storageBytes: 1, pods: 1 }
const ANY_TAINT = [{ operator: 'Exists' as const }]

/**
 * Nodes that by their own statements may take a copy, were they free of everything: peer ID, and how much the manifest prefers them.
 * @param options.lenient also those that take nothing new (cordoned, tainted): what runs there stays, and they are of a place like any other
 */
export function fitByWord(
  nodes: readonly Neighbour[],
  rules: PlacementRules,
  { engine, lenient = false }: { readonly engine?: string | undefined; readonly lenient?: boolean }
): Map<string, number> {
  const candidates = nodes.map((node) => ({
    ...node,
    scheduling: lenient || node.scheduling,
    free: ROOM,
    allocatable: ROOM,
    load: 0,
    reliability: 0,
    ordinals: []
  }))
  // what is about other nodes is judged where their bids are seen
  const alone = { ...rules, apart: [], spread: [], ...(lenient ? { tolerations: ANY_TAINT } : {}) }
  const perCopy = { cpuMillis: 0, memoryBytes: 0, storageBytes: 0 }
  const request = { rules: alone, perCopy, engine, ordinals: [0], perNode: true }
  const { explained } = plan({ candidates }, request, () => 0)
  return new Map(
    explained.flatMap(({ peerId, verdict, score = 0 }) => (verdict === 'taken' ? [[peerId, score]] : []))
  )
}

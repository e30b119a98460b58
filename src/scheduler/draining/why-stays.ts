import type { CheckedRecord } from '../types.ts'

/** Why copies of a manifest are not moved when their node is drained, in a sentence; undefined: they are. */
export function whyStays({
  perNode,
  lifetime,
  onNodeLoss
}: Pick<CheckedRecord, 'perNode' | 'lifetime' | 'onNodeLoss'>): string | undefined {
  if (perNode) return 'it has a copy on every node, and this one is for this node'
  if (lifetime === 'job') return 'it is a Job, and runs here to its end'
  if (lifetime === 'cron') return 'it is a CronJob, and its runs that have begun end here'
  if (onNodeLoss === 'keep')
    return 'it stays with its node, as manifests with a claim do: annotation beemesh.io/on-node-loss: recreate lets it go without its data'
  return undefined
}

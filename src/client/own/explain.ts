import type { Abortable } from '../../common/index.ts'
import { rulesOf } from '../../scheduler/index.ts'
import { type PlanView, planWanted } from '../apply/dry-run.ts'
import type { Client } from '../client.ts'
import { fetchRecord } from './fetch.ts'

/**
 * Where the copies of a manifest run, and what every member says to another one: from what its record shows in clear, which whoever keeps
 * it can tell. @throws ClientError REF_NOT_FOUND, REF_AMBIGUOUS, NOT_READABLE
 */
export async function explain(client: Client, ref: string, { signal }: Abortable = {}): Promise<PlanView> {
  const { session } = client
  const [held, nodes] = await Promise.all([client.held(ref, { signal }), client.nodes({ signal })])
  const { manifestId, kind, name, namespace } = held.manifest
  const record = await fetchRecord(session, held, { signal })
  const { cpuMillis, memoryBytes, storageBytes, engine, placement, perNode, replicas } = record
  const perCopy = { cpuMillis, memoryBytes, storageBytes }
  const wanted = { manifestId, rules: rulesOf(placement), perCopy, engine, perNode, replicas }
  return planWanted(wanted, { kind, name, namespace }, { session, nodes, oneMore: true, signal })
}

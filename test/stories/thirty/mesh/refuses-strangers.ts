import { expect } from 'chai'
import { generateSigningKey } from '../../../../src/identity/index.ts'
import { parseManifests } from '../../../../src/manifest/index.ts'
import { deployment, toYaml } from '../../../fixtures/workload-files.ts'
import type { Thirty } from './thirty.ts'

const ANSWER_MS = 20_000

/** A stranger is refused, at any time: what it asked for runs nowhere, which the invariants watch. */
export async function refusesStrangers({ owner, machines }: Thirty): Promise<void> {
  const entry = machines.find(({ state }) => state === 'up')!
  const stranger = await owner.client(entry.peerId, generateSigningKey())
  const manifests = parseManifests(toYaml(deployment({ name: 'stranger' })))
  const taken = await stranger.apply(manifests, { signal: AbortSignal.timeout(ANSWER_MS) }).then(
    ([result]) => result!.placements.filter(({ error }) => error === undefined),
    () => []
  )
  expect(taken).to.deep.equal([])
}

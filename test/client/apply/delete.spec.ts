import { expect } from 'chai'
import { deleteHeld } from '../../../src/client/apply/delete.ts'
import type { Session } from '../../../src/client/index.ts'
import { generateSigningKey } from '../../../src/identity/index.ts'
import { RemoteError } from '../../../src/wire/index.ts'

/** Two nodes that were seen running copy 0, as after a kill -9. @param gone those that have let go of it since; a mock of the session */
async function deleteOn(gone: readonly string[]) {
  const key = generateSigningKey()
  const workload = { workloadId: 'web-1', ordinal: 0, state: 'running', ports: [], engine: 'mock' }
  const status = { version: 1, replicas: 1, workloads: [workload] }
  const holders = ['a', 'b'].map((name) => ({ node: { name, peerId: name, state: 'alive' }, status }))
  const session = {
    key,
    connection: { networkId: new Uint8Array(32) },
    async *ask({ name }: { name: string }, protocol: string) {
      if (protocol === 'delete' && gone.includes(name))
        throw new RemoteError('MANIFEST_NOT_FOUND', 'this node does not hold the manifest')
      yield* [] as Uint8Array[] // the copies that were seen are all there is to tell
    }
  } as unknown as Session
  const manifest = {
    ...status,
    manifestId: new Uint8Array(36),
    kind: 'Pod',
    name: 'web',
    namespace: 'default'
  }
  const held = { id: 'x', manifest, holders, silent: [] } as unknown as Parameters<typeof deleteHeld>[1]
  const { placements } = await deleteHeld(session, held, {})
  return placements.map(({ node, state, error }) => [node, error?.code ?? state])
}

describe('client: delete', () => {
  it('is done on a node that has let go of the copy since it was seen, when another took the tombstone', async () => {
    expect(await deleteOn(['b'])).to.deep.equal([
      ['a', 'stopped'],
      ['b', 'stopped']
    ])
  })

  it('has failed when nobody took it', async () => {
    expect(await deleteOn(['a', 'b'])).to.deep.equal([
      ['a', 'MANIFEST_NOT_FOUND'],
      ['b', 'MANIFEST_NOT_FOUND']
    ])
  })
})

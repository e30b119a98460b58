import { expect } from 'chai'
import { withdraw } from '../../../src/client/apply/withdraw.ts'
import { encodeStatusReply } from '../../../src/generated/fbs/index.ts'
import { generateSigningKey } from '../../../src/identity/index.ts'

const ID = Uint8Array.from({ length: 36 }, (_, at) => [1, 0x55, 0x12, 32][at] ?? 0)

/** What is asked of two nodes that keep a first version which nobody could start. @param second state of the other; a mock of the session */
async function askedWhen(second: string): Promise<string[]> {
  const asked: string[] = []
  const session = {
    key: generateSigningKey(),
    connection: { networkId: new Uint8Array(32) },
    async *ask({ publicKey }: { publicKey: string }, protocol: string) {
      asked.push(`${protocol} ${publicKey}`)
      const digest = new Uint8Array(32)
      const one = {
        manifestId: ID,
        version: 1,
        recordDigest: digest,
        name: '',
        namespace: '',
        kind: '',
        replicas: 1
      }
      if (protocol === 'status')
        yield encodeStatusReply({ nodeName: 'x', manifests: [{ ...one, workloads: [] }] })
    }
  }
  const node = (name: string, state: string) => ({ name, publicKey: name, peerId: name, state, member: true })
  const nodes = [node('a', 'alive'), node('b', second)]
  const options = { session, nodes, fenceKeepers: [] } as unknown as Parameters<typeof withdraw>[2]
  await withdraw(ID, '1', options)
  return asked.sort()
}

// found by npm run chaos: a new version that one side of a partition refused deleted what ran on the other
describe('client: a first version that nobody could start', () => {
  it('is withdrawn when every member says that nothing of it runs', async () => {
    expect(await askedWhen('alive')).to.deep.equal(['delete a', 'status a', 'status b'])
  })

  for (const state of ['suspect', 'dead', 'left'])
    it(`is left as it is while a member is away, which may run the version before: ${state}`, async () => {
      expect(await askedWhen(state)).to.deep.equal([])
    })
})

import { expect } from 'chai'
import { TypedEventEmitter } from 'main-event'
import type { MembersService } from '../../src/members/index.ts'
import { connectServices } from '../../src/node/connect-services.ts'
import type { WorkloadsService } from '../../src/workloads/index.ts'

describe('node: what services hear of each other', () => {
  it('providers hear who is gone and who is there again, also of one whose connections outlived its silence', () => {
    const members = new TypedEventEmitter() as unknown as MembersService
    const heard: string[] = []
    connectServices(
      {
        members,
        guests: { isRevoked: () => false },
        providers: {
          lose: (peerId) => void heard.push(`lose ${peerId}`),
          regain: (peerId) => void heard.push(`regain ${peerId}`)
        },
        workloads: new TypedEventEmitter() as unknown as WorkloadsService
      },
      { recorder: undefined as never, log: undefined as never, isIdle: () => true }
    )
    for (const state of ['suspect', 'dead', 'alive', 'left'] as const)
      members.dispatchEvent(new CustomEvent(`member:${state}`, { detail: { peerId: 'frozen' } }))
    expect(heard).to.deep.equal(['lose frozen', 'regain frozen', 'lose frozen'])
  })
})

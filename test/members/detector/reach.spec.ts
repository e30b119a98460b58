import { expect } from 'chai'
import type { Probe, ProbeAnswer, ProbeInit } from '../../../src/generated/fbs/index.ts'
import {
  generateSigningKey,
  openNetwork,
  publicKeyFromPeerId,
  type SigningKey
} from '../../../src/identity/index.ts'
import { HELPERS, REACH_BUDGET, TARGET_BUDGET } from '../../../src/members/detector/constants.ts'
import { isProof, signProof } from '../../../src/members/detector/proof.ts'
import { Reach, type ReachInit } from '../../../src/members/detector/reach.ts'

const networkId = openNetwork('test').id
const [self, target, stranger] = [generateSigningKey(), generateSigningKey(), generateSigningKey()]
const challenge = new Uint8Array(16).fill(7)
const helpers = Array.from({ length: 6 }, generateSigningKey)
const gone = () => Promise.reject(new Error('gone'))

type Ask = (peerId: string, probe: Omit<ProbeInit, 'id'>) => Promise<ProbeAnswer>

function createReach({ ask = gone, ...init }: Partial<Omit<ReachInit, 'wire'>> & { ask?: Ask } = {}) {
  const seen = { asked: [] as string[], dialled: 0, unreached: [] as string[] }
  const reach = new Reach({
    key: self,
    networkId,
    wire: () => ({
      ask: (peerId: string, probe: Omit<ProbeInit, 'id'>) => {
        seen.asked.push(peerId)
        return ask(peerId, probe)
      },
      forget: () => {}
    }),
    isKnown: (peerId) => peerId === target.peerId,
    isConnected: () => true,
    helpers: () => helpers.map(({ peerId }) => peerId),
    onUnreached: (peerId) => seen.unreached.push(peerId),
    ...init,
    dial: async (peerId, options) => {
      seen.dialled++
      await (init.dial ?? gone)(peerId, options)
    }
  })
  return { reach, seen }
}

function probe(fields: Partial<Probe>): Probe {
  return { id: 1, target: undefined, asker: undefined, challenge, ...fields }
}

/** A helper that reaches the target, which signs with this key. */
function helpful(key: SigningKey): Ask {
  return async (peerId, { challenge }) => {
    if (peerId === target.peerId) throw new Error('not to us')
    return { id: 1, proof: signProof(key, { networkId, asker: self.publicKey, challenge: challenge! }) }
  }
}

describe('members: ways to a member that does not answer', () => {
  const signal = () => AbortSignal.timeout(700)

  it('prefers a way of its own to the word of others, also when that comes later', async () => {
    const { reach } = createReach({
      ask: helpful(target),
      dial: () => new Promise((resolve) => setTimeout(resolve, 50))
    })
    expect(await reach.confirm(target.peerId, { signal: signal() })).to.equal('direct')
  })

  it('believes others when they bring a proof of the target, and asks no more than a few', async () => {
    const { reach, seen } = createReach({ ask: helpful(target) })
    expect(await reach.confirm(target.peerId, { signal: signal() })).to.equal('vouched')
    expect(new Set(seen.asked.filter((peerId) => peerId !== target.peerId)).size).to.equal(HELPERS)
    expect(seen.dialled, 'a dial that failed at once is tried again').to.equal(2)
  })

  it('believes nobody who signs for the target, or brings a proof that is old, or none', async () => {
    const old = signProof(target, { networkId, asker: self.publicKey, challenge: new Uint8Array(16) })
    for (const ask of [
      helpful(stranger),
      async () => ({ id: 1, proof: old }),
      async () => ({ id: 1, proof: undefined })
    ] as Ask[]) {
      const { reach } = createReach({
        ask: (peerId, fields) => (peerId === target.peerId ? gone() : ask(peerId, fields))
      })
      expect(await reach.confirm(target.peerId, { signal: signal() })).to.equal(undefined)
    }
  })

  it('ends with the signal, whatever hangs', async () => {
    const hang = (_: unknown, { signal }: { signal?: AbortSignal } = {}) =>
      new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    const { reach } = createReach({ dial: hang, helpers: () => [] })
    expect(await reach.confirm(target.peerId, { signal: AbortSignal.timeout(50) })).to.equal(undefined)
  })
})

describe('members: asked about somebody else', () => {
  const asked = { target: target.publicKey }

  it('passes the challenge on and brings the answer of the target back', async () => {
    const { reach } = createReach({
      ask: async (peerId, { asker, challenge }) => {
        expect(peerId).to.equal(target.peerId)
        return { id: 1, proof: signProof(target, { networkId, asker: asker!, challenge: challenge! }) }
      }
    })
    const proof = await reach.prove(probe(asked), stranger.peerId)
    expect(isProof(proof!, target.publicKey, { networkId, asker: stranger.publicKey, challenge })).to.equal(
      true
    )
    expect(isProof(proof!, target.publicKey, { networkId, asker: self.publicKey, challenge })).to.equal(false)
  })

  it('proves itself to whom it is for', async () => {
    const { reach } = createReach()
    const proof = await reach.prove(probe({ asker: stranger.publicKey }), helpers[0]!.peerId)
    expect(isProof(proof!, self.publicKey, { networkId, asker: stranger.publicKey, challenge })).to.equal(
      true
    )
  })

  it('does nothing for targets it does not know, for itself, for the asker, or without a challenge', async () => {
    const { reach, seen } = createReach({
      isKnown: (peerId) => peerId !== helpers[0]!.peerId,
      isConnected: () => false
    })
    for (const [fields, from] of [
      [{ target: helpers[0]!.publicKey }, stranger],
      [{ target: self.publicKey }, stranger],
      [{ target: stranger.publicKey }, stranger],
      [{ ...asked, challenge: undefined }, stranger]
    ] as [Partial<Probe>, SigningKey][])
      expect(await reach.prove(probe(fields), from.peerId)).to.equal(undefined)
    expect(seen).to.deep.equal({ asked: [], dialled: 0, unreached: [] })
  })

  it('says when it does not reach the target either', async () => {
    const { reach, seen } = createReach({ isConnected: () => false })
    expect(await reach.prove(probe(asked), stranger.peerId)).to.equal(undefined)
    expect(seen).to.deep.equal({ asked: [], dialled: 1, unreached: [target.peerId] })
  })

  it('has a budget for each asker and for each target, so that nobody is flooded through it', async () => {
    const { reach, seen } = createReach({ isKnown: () => true })
    const ask = (from: SigningKey, of: SigningKey) =>
      reach.prove(probe({ target: of.publicKey }), from.peerId)
    for (let round = 0; round < REACH_BUDGET.burst * 2; round++) await ask(stranger, target)
    expect(seen.asked.length).to.be.within(REACH_BUDGET.burst, REACH_BUDGET.burst + 2)
    seen.asked.length = 0
    for (let round = 0; round < TARGET_BUDGET.burst * 2; round++) await ask(helpers[round % 4]!, helpers[5]!)
    expect(seen.asked.length).to.be.within(TARGET_BUDGET.burst, TARGET_BUDGET.burst + 2)
    expect(publicKeyFromPeerId(seen.asked[0]!)).to.deep.equal(helpers[5]!.publicKey)
  })
})

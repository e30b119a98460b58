import { createHash } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { openNetwork, type SigningKey, signingKeyFromSeed } from '../../../src/identity/index.ts'
import { type SealingKey, sealingKeyFromSeed } from '../../../src/sealing/index.ts'

export const NETWORK = openNetwork('simulated')

export interface NodeKeys {
  readonly peerId: PeerId
  readonly key: SigningKey
  readonly sealingKey: SealingKey
}

const known = new Map<string, Promise<NodeKeys>>()

/** The same keys for the same name in every run, because making them costs more than the rest of a node. */
export function keysOf(name: string): Promise<NodeKeys> {
  const keys = known.get(name) ?? make(name)
  known.set(name, keys)
  return keys
}

async function make(name: string): Promise<NodeKeys> {
  const seed = (what: string) => new Uint8Array(createHash('sha256').update(`${what} of ${name}`).digest())
  const sealingKey = await sealingKeyFromSeed(seed('sealing key'), { epoch: 1 })
  const key = signingKeyFromSeed(seed('identity'))
  return { peerId: peerIdFromString(key.peerId), key, sealingKey }
}

import type { PeerId } from '@libp2p/interface'

/** The little of a gossip service that we use, so that the implementation stays behind one import (src/node). */
export interface Gossip {
  publish(topic: string, data: Uint8Array): Promise<unknown>
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /** Asked before a message is passed on, by topic: a {@link GossipJudge}, which the implementation types otherwise. */
  readonly topicValidators?: { set(topic: string, judge: never): unknown; delete(topic: string): unknown }
}

/** @param neighbour who passed it on */
export type GossipJudge = (neighbour: PeerId, message: GossipMessage) => GossipVerdict

/** "reject" is held against the neighbour, "ignore" is not; neither is passed on. */
export type GossipVerdict = 'accept' | 'reject' | 'ignore'

export interface GossipMessage {
  readonly data: Uint8Array
  /** Who published it, its signature checked. */
  readonly from?: PeerId
}

import { type Abortable, equalBytes, toError, toHex } from '../../common/index.ts'
import { encodeForward, encodePresentRequest } from '../../generated/fbs/index.ts'
import type { SigningKey } from '../../identity/index.ts'
import type { GrantChain } from '../../trust/index.ts'
import {
  createRequest,
  FORWARD_PROTOCOL_NAME,
  OWNER_PROTOCOLS,
  type OwnerProtocolName,
  RemoteError,
  readCredited,
  WireError
} from '../../wire/index.ts'
import type { NodeConnection } from './connection.ts'

/** Source: fbs/present.fbs */
const MAX_CHAINS = 8

export interface Target {
  /** Uint8Array(32) */
  readonly publicKey: Uint8Array
  /** Where the entry node may dial it, when it is not connected. */
  readonly addresses?: readonly string[]
}

export interface AskOptions extends Abortable {
  /** Called when the first frame of the answer has come: from then on the asker may say more. */
  onAnswered?: (say: (input: Uint8Array) => Promise<void>) => void
}

/** An owner's key and its way into the mesh. Everything a client does is a question asked with it. */
export class Session {
  readonly key: SigningKey
  readonly connection: NodeConnection
  /** Grants that the key holds in this network; shown to nodes that refuse it without. */
  readonly chains: readonly GrantChain[]
  readonly #presented = new Set<string>()

  constructor(key: SigningKey, connection: NodeConnection, chains: readonly GrantChain[] = []) {
    this.key = key
    this.connection = connection
    this.chains = chains
  }

  get entry(): Target {
    return { publicKey: this.connection.entry }
  }

  /**
   * Asks one node, directly when it is the entry node, else through it. Yields the bodies of its answer.
   * @param encode the request's payload, given the key that answers are sealed to
   */
  async *ask(
    target: Target,
    protocol: OwnerProtocolName,
    encode: (replyKey: Uint8Array) => Uint8Array,
    options: AskOptions = {}
  ): AsyncGenerator<Uint8Array> {
    let answered = false
    try {
      for await (const body of this.#askOnce(target, protocol, encode, options)) {
        answered = true
        yield body
      }
      return
    } catch (error) {
      const isRefused = error instanceof RemoteError && error.code === 'NOT_AUTHORISED'
      if (!isRefused || answered || !(await this.#present(target, options))) throw error
    }
    yield* this.#askOnce(target, protocol, encode, options)
  }

  /** Shows our grants to the entry node and the target. @returns false when both have seen them */
  async #present(target: Target, { signal }: Abortable): Promise<boolean> {
    if (this.chains.length === 0) return false
    const chains = this.chains.slice(0, MAX_CHAINS).map(({ bytes }) => ({ value: bytes }))
    const encode = (replyKey: Uint8Array) => encodePresentRequest({ chains, replyKey })
    let isNew = false
    for (const node of [this.entry, target]) {
      const id = toHex(node.publicKey)
      if (this.#presented.has(id)) continue
      this.#presented.add(id)
      isNew = true
      for await (const _held of this.#askOnce(node, 'present', encode, { signal })) {
        // what counts there shows when the question is asked again
      }
    }
    return isNew
  }

  async *#askOnce(
    target: Target,
    protocol: OwnerProtocolName,
    encode: (replyKey: Uint8Array) => Uint8Array,
    { signal, onAnswered }: AskOptions = {}
  ): AsyncGenerator<Uint8Array> {
    const { entry, networkId } = this.connection
    const direct = equalBytes(target.publicKey, entry)
    const request = await createRequest({
      protocol: OWNER_PROTOCOLS[protocol],
      key: this.key,
      networkId,
      target: target.publicKey,
      entry: direct ? undefined : entry,
      encode
    })
    const channel = await this.connection.open(direct ? protocol : FORWARD_PROTOCOL_NAME, { signal })
    try {
      const frame = direct
        ? request.envelope
        : encodeForward({
            target: target.publicKey,
            addresses: target.addresses?.slice(0, 8),
            protocol,
            envelope: request.envelope
          })
      await channel.write(frame, { signal })
      for await (const body of request.answers(readCredited(channel, { signal }))) {
        onAnswered?.((input) => channel.write(request.sealInput(input), { signal }))
        onAnswered = undefined
        yield body
      }
      await channel.close()
    } catch (thrown) {
      channel.abort(toError(thrown))
      throw thrown
    } finally {
      channel.abort(new WireError('CANCELLED', 'the asker has what it wanted')) // also when it stopped reading early
    }
  }
}

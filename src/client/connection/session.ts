import { type Abortable, equalBytes, toError } from '../../common/index.ts'
import { encodeForward } from '../../generated/fbs/index.ts'
import type { SigningKey } from '../../identity/index.ts'
import {
  createRequest,
  FORWARD_PROTOCOL_NAME,
  OWNER_PROTOCOLS,
  type OwnerProtocolName,
  readCredited,
  WireError
} from '../../wire/index.ts'
import type { NodeConnection } from './connection.ts'

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

  constructor(key: SigningKey, connection: NodeConnection) {
    this.key = key
    this.connection = connection
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

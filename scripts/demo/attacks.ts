import { decode, openEnvelope } from '../../src/envelope/index.ts'
import { ERROR_REPLY, REPLY } from '../../src/generated/fbs/index.ts'
import { audienceOf } from '../../src/identity/index.ts'
import {
  Client,
  generateSigningKey,
  isBeemeshError,
  type NodeConnection,
  Session,
  type SigningKey
} from '../../src/index.ts'

/** A connection that remembers the last request sent on a protocol, as somebody who listens on the way could. */
export function eavesdrop(
  connection: NodeConnection,
  protocol: string
): { connection: NodeConnection; frame: () => Uint8Array } {
  let seen: Uint8Array | undefined
  return {
    frame: () => seen!,
    connection: {
      ...connection,
      open: async (name, options) => {
        const channel = await connection.open(name, options)
        if (name !== protocol) return channel
        let first = true
        return {
          ...channel,
          write: (frame, writeOptions) => {
            if (first) seen = frame // what follows are acknowledgements
            first = false
            return channel.write(frame, writeOptions)
          }
        }
      }
    }
  }
}

/** Sends a recorded frame again. Returns the code and sentence of the refusal, or undefined when it was not refused. */
export async function replay(
  connection: NodeConnection,
  { protocol, frame, owner }: { protocol: string; frame: Uint8Array; owner: SigningKey }
): Promise<{ code: string; message: string } | undefined> {
  const signal = AbortSignal.timeout(10_000)
  const channel = await connection.open(protocol, { signal })
  await channel.write(frame, { signal })
  const answer = await channel.read({ signal })
  if (answer === undefined) return undefined
  const { networkId } = connection
  const envelope = openEnvelope(answer, {
    networkId,
    nowMs: Date.now(),
    audience: audienceOf(owner.publicKey)
  })
  envelope.verifySignature()
  const reply = envelope.decodePayload(REPLY)
  return reply.sealed ? undefined : decode(ERROR_REPLY, reply.body ?? new Uint8Array())
}

/** Asks as somebody nobody knows, with a valid signature. Returns the code and sentence of the refusal. */
export async function askAsStranger(
  connection: NodeConnection
): Promise<{ code: string; message: string } | undefined> {
  const client = new Client({ session: new Session(generateSigningKey(), connection) })
  try {
    await client.nodes({ signal: AbortSignal.timeout(10_000) })
    return undefined
  } catch (error) {
    if (!isBeemeshError(error)) throw error
    return { code: error.code, message: error.message }
  }
}

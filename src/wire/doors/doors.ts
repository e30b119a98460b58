import { concat, isBeemeshError, timeoutSignal, toError } from '../../common/index.ts'
import { type OpenedEnvelope, openEnvelope, peekEnvelope, type Root } from '../../envelope/index.ts'
import { audienceOf, peerIdFromPublicKey, type SigningKey } from '../../identity/index.ts'
import { type Action, authorise, TrustError, type TrustState } from '../../trust/index.ts'
import { CreditedWriter } from '../channel/credit.ts'
import type { FrameChannel } from '../channel/frame-channel.ts'
import { WireError } from '../errors.ts'
import { OWNER_PROTOCOLS, type OwnerProtocolName, type Protocol } from '../protocols.ts'
import { Budget, type BudgetLimits } from './budget.ts'
import type { ReplayGuard } from './replay-guard.ts'
import { Responder } from './responder.ts'
import { ruleOf } from './rule-of.ts'
import type { Asked, OwnerRequest, Refused } from './types.ts'

/** For one owner: room for a benchmark. Chosen, no evidence yet. */
export const OWNER_BUDGET: BudgetLimits = { burst: 500, perSecond: 200 }
/** For showing grants, all that are not known yet together: each costs a signature and an encapsulation. Chosen. */
export const NEWCOMER_BUDGET: BudgetLimits = { burst: 40, perSecond: 10 }
/** For everybody who is not an owner together, a peer: enough to hear why they are refused. Chosen, no evidence yet. */
export const STRANGER_BUDGET: BudgetLimits = { burst: 20, perSecond: 2 }

/** What is taken of whom before anything expensive is done. */
export interface DoorBudgets {
  readonly owners: BudgetLimits
  readonly strangers: BudgetLimits
  readonly newcomers: BudgetLimits
}

export interface DoorsInit {
  /** @default {@link OWNER_BUDGET}, {@link STRANGER_BUDGET}, {@link NEWCOMER_BUDGET} */
  readonly budgets?: DoorBudgets
  readonly key: SigningKey
  readonly networkId: Uint8Array
  readonly trust: () => TrustState
  readonly replay: ReplayGuard
  readonly now?: () => number
  /** Called for each refusal. @param payload what was asked, where it came so far that it could be read */
  readonly onRefused?: (refusal: Refused, payload?: unknown) => void
  /** Called for each request that passed every check, before it is acted on, and for each that is passed on. */
  readonly onAccepted?: (request: Asked, payload?: unknown) => void
}

type Handler<T> = (request: OwnerRequest<T>) => Promise<void>
interface Door {
  readonly protocol: Protocol
  readonly root: Root<{ replyKey: Uint8Array }, never>
  readonly handler: Handler<unknown>
}

/**
 * Where owners' requests come in, whichever way they travelled: a libp2p stream, the local socket, or a forward. Checks in
 * the order of ARCHITECTURE section 5, cheapest first, then hands over to the service that registered the protocol.
 */
export class Doors {
  readonly #init: DoorsInit
  readonly #now: () => number
  readonly #doors = new Map<string, Door>()
  /** What comes in an owner's name, of each connection, before it is known whether it is the owner's. */
  readonly #claims: Budget
  readonly #owners: Budget
  readonly #strangers: Budget
  readonly #newcomers: Budget
  readonly #stop = new AbortController()
  readonly #audience: Uint8Array

  constructor(init: DoorsInit) {
    this.#init = init
    this.#now = init.now ?? Date.now
    const {
      owners = OWNER_BUDGET,
      strangers = STRANGER_BUDGET,
      newcomers = NEWCOMER_BUDGET
    } = init.budgets ?? {}
    this.#claims = new Budget(owners, this.#now)
    this.#owners = new Budget(owners, this.#now)
    this.#strangers = new Budget(strangers, this.#now)
    this.#newcomers = new Budget(newcomers, this.#now)
    this.#audience = audienceOf(init.key.publicKey)
  }

  /** Registers what answers one protocol. */
  open<T extends { replyKey: Uint8Array }>(
    name: OwnerProtocolName,
    root: Root<T, never>,
    handler: Handler<T>
  ): void {
    const door: Door = { protocol: OWNER_PROTOCOLS[name], root, handler: handler as Handler<unknown> }
    this.#doors.set(name, door)
  }

  protocols(): Protocol[] {
    return [...this.#doors.values()].map(({ protocol }) => protocol)
  }

  /** Ends every request that is still being answered. */
  close(): void {
    this.#stop.abort(new WireError('CANCELLED', 'the node is stopping', { retryable: true }))
  }

  /** Serves one request on a channel. @param transport the connection's peer ID, or "local" */
  async serve(channel: FrameChannel, name: string, transport: string): Promise<void> {
    const door = this.#doors.get(name)
    if (door === undefined) {
      channel.abort(new WireError('PROTOCOL_UNKNOWN', `this node does not speak ${name}`))
      return
    }
    const { requestTimeoutMs } = door.protocol
    const frame = await channel.read({ signal: AbortSignal.timeout(requestTimeoutMs) })
    if (frame !== undefined) await this.serveRequest(channel, door.protocol.name, frame, transport)
  }

  /** Serves a request whose frame has been read already. */
  async serveRequest(
    channel: FrameChannel,
    name: string,
    frame: Uint8Array,
    transport: string
  ): Promise<void> {
    const door = this.#doors.get(name)
    if (door === undefined) throw new WireError('PROTOCOL_UNKNOWN', `this node does not speak ${name}`)
    const writer = new CreditedWriter(channel)
    const { key, networkId } = this.#init
    const peeked = peekEnvelope(frame)
    const reply = new Responder({ key, networkId, writer, now: this.#now, request: peeked })
    const about: About = { author: peeked?.author, transport, protocol: name }
    try {
      const envelope = this.check(frame, { protocol: door.protocol, transport, audience: this.#audience })
      this.verify(envelope, about)
      const payload = envelope.decodePayload(door.root)
      about.payload = payload
      if (door.protocol.changesState) await this.#init.replay.insert(envelope)
      await reply.sealTo(payload.replyKey, envelope)
      this.accepted(about)
      const { author } = envelope
      const signal = this.#signal(door.protocol, writer)
      await door.handler({
        author,
        authorPeerId: peerIdFromPublicKey(author),
        payload,
        envelope,
        reply,
        signal
      })
    } catch (error) {
      this.refused(error, about)
      await reply.fail(error).catch(() => {}) // because the asker may be gone; the refusal is reported already
    } finally {
      await channel.close()
    }
  }

  /**
   * Everything that may be decided about a request before its signature is looked at. A node that forwards does the same
   * checks for the node behind it, so that it is no open relay.
   */
  check(
    frame: Uint8Array,
    {
      protocol,
      transport,
      audience,
      forwarding
    }: { protocol: Protocol; transport: string; audience: Uint8Array; forwarding?: boolean }
  ): OpenedEnvelope {
    if (frame.byteLength > protocol.maxRequestBytes)
      throw new WireError(
        'FRAME_TOO_LARGE',
        `${frame.byteLength} bytes; ${protocol.name} takes ${protocol.maxRequestBytes}`
      )
    const envelope = openEnvelope(frame, { networkId: this.#init.networkId, nowMs: this.#now(), audience })
    if (envelope.type !== protocol.request)
      throw new WireError(
        'PROTOCOL_UNKNOWN',
        `a message of type ${envelope.type} on protocol ${protocol.name}`
      )
    const author = peerIdFromPublicKey(envelope.author)
    const decision = authorise({ author, action: protocol.name as Action, forwarding }, this.#init.trust())
    const isKnown = decision.allowed && decision.rule !== 'anybody'
    const isNewcomer = decision.allowed && !isKnown
    // of each connection, because anybody can claim to be an owner; of strangers, whose connections cost little, of all together, too
    const budget = isKnown
      ? this.#claims.take(`${transport} ${author}`)
      : this.#strangers.take(transport) && (!isNewcomer || this.#newcomers.take(''))
    if (!budget) throw tooMany()
    if (!decision.allowed)
      throw new TrustError('NOT_AUTHORISED', decision.reason, {
        hint: decision.hint,
        details: { author, rule: decision.rule, node: this.#init.key.peerId }
      })
    return envelope
  }

  /**
   * The signature of what passed {@link check}, and then the owner's budget, which nobody else can use up.
   * @throws EnvelopeError, WireError TOO_MANY_REQUESTS
   */
  verify(envelope: OpenedEnvelope, about: { verified?: boolean }): void {
    envelope.verifySignature()
    about.verified = true
    if (!this.#owners.take(peerIdFromPublicKey(envelope.author))) throw tooMany()
  }

  #signal(protocol: Protocol, writer: CreditedWriter): AbortSignal {
    const signals = [this.#stop.signal, writer.gone]
    if (protocol.answerTimeoutMs !== undefined) signals.push(timeoutSignal(protocol.answerTimeoutMs))
    return AbortSignal.any(signals)
  }

  /** Tells whoever listens that a request passed every check. */
  accepted({ author, transport, protocol, payload }: About): void {
    this.#init.onAccepted?.({ author: author && peerIdFromPublicKey(author), transport, protocol }, payload)
  }

  /** Tells whoever listens that a request was refused, and by which rule. */
  refused(error: unknown, { author, transport, protocol, verified = false, payload }: About): void {
    const code = isBeemeshError(error) ? error.code : toError(error).name
    const claimed = author && peerIdFromPublicKey(author)
    const refusal = { code, rule: ruleOf(error), author: claimed, verified, transport, protocol }
    this.#init.onRefused?.(refusal, payload)
  }
}

function tooMany(): WireError {
  return new WireError('TOO_MANY_REQUESTS', 'too many requests; slow down', { retryable: true })
}

/** What is known of a request so far. */
interface About {
  readonly author?: Uint8Array
  readonly transport: string
  readonly protocol: string
  verified?: boolean
  payload?: unknown
}

/** The first frame on the local socket: the protocol's name. */
export function localGreeting(name: string): Uint8Array {
  return concat(Uint8Array.of(1), new TextEncoder().encode(name))
}

import type { VerdictInit } from '../../../generated/fbs/index.ts'
import type { Neighbour } from '../../types.ts'

export interface GiveOut {
  /** All that may keep it, nearest first. */
  readonly targets: readonly Neighbour[]
  /** Of them, those that are given it whatever the others say. */
  readonly must: (target: Neighbour) => boolean
  /** How many must have it on disk. */
  readonly enough: number
  /** Whether those are among them that have to be; asked with each that has it. @default true */
  readonly isWhole?: () => boolean
  readonly give: (target: Neighbour) => Promise<VerdictInit>
  /** What one answered; what it throws ends the whole. */
  readonly onAnswer: (answer: VerdictInit, target: Neighbour) => void
  readonly onSilent: (target: Neighbour, error: unknown) => void
  readonly signal: AbortSignal
}

/** One that has not answered is not waited for any longer: the next is given it, too. Chosen: some round trips. */
const NEXT_AFTER_MS = 300
/** After this the answer does not wait for those that do not answer, if one has it and those that have to. Chosen. */
const PATIENCE_MS = 1_000

/**
 * Gives something to the nearest that make it durable, and to further ones for each that refuses, fails or is slow. Resolves when enough have
 * it, or when all have been tried; those that are not needed get it from the nearest of them later, once and not from every giver.
 * @returns how many are known to have it on disk
 */
export async function giveOut(plan: GiveOut): Promise<number> {
  const { targets, must, enough, isWhole = () => true, give, onAnswer, onSilent, signal } = plan
  const first = targets.filter((target, place) => place < enough || must(target))
  const later = targets.filter((target) => !first.includes(target))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let durable = 0
  let open = 0
  let isPatient = true
  const isDone = () => isWhole() && (durable >= enough || (!isPatient && durable > 0))
  const toNext = () => {
    const next = later.shift()
    if (next !== undefined) begin(next)
    else if (open === 0) resolve() // because nobody else can be reached
  }
  const begin = (target: Neighbour) => {
    open++
    give(target)
      .then(
        (answer) => {
          onAnswer(answer, target)
          return answer.code === undefined
        },
        (error: unknown) => {
          onSilent(target, error)
          return false
        }
      )
      .then((hasIt) => {
        open--
        if (hasIt) durable++
        if (isDone()) return resolve()
        if (!hasIt || open === 0) toNext()
      })
      .catch(reject)
  }
  signal.throwIfAborted()
  for (const target of first) begin(target)
  if (first.length === 0) resolve()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const hurry = setTimeout(() => {
    for (let missing = enough - durable; missing > 0; missing--) toNext()
  }, NEXT_AFTER_MS)
  const patience = setTimeout(() => {
    isPatient = false
    if (isDone()) resolve()
  }, PATIENCE_MS)
  await promise.finally(() => {
    clearTimeout(hurry)
    clearTimeout(patience)
    signal.removeEventListener('abort', abort)
    later.length = 0
  })
  return durable
}

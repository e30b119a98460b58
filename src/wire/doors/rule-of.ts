import { isBeemeshError } from '../../common/index.ts'

/** What a rule of ours is called. Anything else in this place came from somebody else's text. */
const RULE = /^[A-Za-z][A-Za-z0-9-]{0,40}$/
/** Rules named of one refusal. Chosen: a policy has some twenty. */
const MAX_RULES = 8

/** Which rule an error says refused: one, or those of all that was found wrong. Never what they were about. */
export function ruleOf(error: unknown): string | undefined {
  if (!isBeemeshError(error)) return undefined
  const { rule, violations } = error.details
  const named = Array.isArray(violations) ? violations.map((one: { rule?: unknown }) => one?.rule) : [rule]
  const rules = new Set(named.filter((one) => typeof one === 'string' && RULE.test(one)))
  return rules.size === 0 ? undefined : [...rules].slice(0, MAX_RULES).join(' ')
}

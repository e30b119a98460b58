import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { safeText } from '../../common/index.ts'
import { MAX_RULES_BYTES } from '../constants.ts'
import { ManifestError } from '../errors.ts'
import { canonicalRules } from './canonical-rules.ts'
import { expressionProblem, tolerationProblem } from './expressions.ts'
import { RULES_SCHEMA } from './rules-schema.ts'
import type { PlacementRules } from './types.ts'

let compiled: ValidateFunction<PlacementRules> | undefined

/**
 * Reads what {@link canonicalRules} wrote, out of a record that somebody else signed.
 * @throws ManifestError MANIFEST_TOO_LARGE above {@link MAX_RULES_BYTES}, MANIFEST_NOT_CANONICAL for everything else
 */
export function parseRules(text: string): PlacementRules {
  // because a long text is measured by its letters first, which costs nothing
  if (text.length > MAX_RULES_BYTES || Buffer.byteLength(text) > MAX_RULES_BYTES)
    throw new ManifestError('MANIFEST_TOO_LARGE', `placement rules have at most ${MAX_RULES_BYTES} bytes`)
  let rules: unknown
  try {
    rules = JSON.parse(text)
  } catch {
    throw wrong('they are no JSON')
  }
  // not allErrors, because the first one is enough and hostile text has many
  compiled ??= new Ajv2020({
    strictTypes: false,
    strictRequired: false,
    validateSchema: false
  }).compile<PlacementRules>(RULES_SCHEMA)
  if (!compiled(rules)) {
    const [error] = compiled.errors ?? []
    throw wrong(safeText(`${error?.instancePath ?? ''} ${error?.message ?? ''}`.trim(), 200))
  }
  const problem = problemOf(rules)
  if (problem !== undefined) throw wrong(problem)
  if (canonicalRules(rules) !== text) throw wrong('the text differs from the canonical form of what it holds')
  return rules
}

/** What the schema cannot say. */
function problemOf({
  strategy,
  nodes,
  requiredTerms,
  preferredTerms,
  tolerations
}: PlacementRules): string | undefined {
  if (strategy === 'manual' && nodes.length === 0) return 'strategy manual names no nodes'
  const terms = [...requiredTerms, ...preferredTerms.map(({ term }) => term)]
  for (const { operator, values } of terms.flatMap(({ expressions }) => expressions)) {
    const problem = expressionProblem(operator, values)
    if (problem !== undefined) return `${problem.field} ${problem.message}`
  }
  for (const toleration of tolerations) {
    const problem = tolerationProblem(toleration)
    if (problem !== undefined) return `${problem.field} of a toleration ${problem.message}`
  }
  return undefined
}

function wrong(why: string): ManifestError {
  return new ManifestError('MANIFEST_NOT_CANONICAL', `these are no placement rules: ${why}`, {
    hint: 'the owner must apply it again with a beemesh of the same version'
  })
}

import serialize from 'canonicalize'
import { ManifestError } from '../errors.ts'
import type { PlacementRules } from './types.ts'

/** The one text of placement rules, RFC 8785 JSON; what a record carries. @throws ManifestError MANIFEST_ARGUMENT for what is no JSON */
export function canonicalRules(rules: PlacementRules): string {
  const text = serialize(rules)
  if (text === undefined) throw new ManifestError('MANIFEST_ARGUMENT', 'placement rules must be plain JSON')
  return text
}

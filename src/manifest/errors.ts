import { BeemeshError, type BeemeshErrorOptions } from '../common/index.ts'
import { MAX_VIOLATIONS } from './constants.ts'

export const MANIFEST_ERROR_CODES = [
  /** The text is no YAML or JSON. */
  'MANIFEST_SYNTAX',
  /** More bytes, documents, values or depth than allowed. */
  'MANIFEST_TOO_LARGE',
  /** A document of a kind that nodes do not run. */
  'MANIFEST_UNSUPPORTED_KIND',
  /** A field, or a value of a field, that nodes do not honour. */
  'MANIFEST_UNSUPPORTED_FIELD',
  /** A ConfigMap, Secret, claim or key that the workload refers to is not in the file. */
  'MANIFEST_MISSING_REFERENCE',
  /** Anything else that is wrong in what was written. */
  'MANIFEST_INVALID',
  /** Bytes from another machine that are not the canonical form of one manifest. */
  'MANIFEST_NOT_CANONICAL',
  /** The caller's own mistake: a key of the wrong length, a port the manifest does not declare. */
  'MANIFEST_ARGUMENT'
] as const

export type ManifestErrorCode = (typeof MANIFEST_ERROR_CODES)[number]

/** One thing wrong in one place. Never holds a Secret's content or the value of an environment variable. */
export interface Violation {
  readonly code: ManifestErrorCode
  /** As a person counts: the first document is 1. */
  readonly document: number
  readonly kind?: string
  readonly name?: string
  /** Such as `spec.template.spec.containers[0].image`; empty for the document itself. */
  readonly path: string
  /** Stable name of the rule, such as `refused`, `unknown-field`, `type`, `required`. */
  readonly rule: string
  /** What was written, short. Left out where it could be secret. */
  readonly value?: string
  /** One clause that goes on after the path. */
  readonly message: string
}

/** Why a manifest was not accepted. `details.violations` lists every {@link Violation} found, at most {@link MAX_VIOLATIONS}. */
export class ManifestError extends BeemeshError<ManifestErrorCode> {
  /** The same list as `details.violations`, typed. Empty for MANIFEST_ARGUMENT. */
  readonly violations: readonly Violation[]

  constructor(
    code: ManifestErrorCode,
    message: string,
    options: BeemeshErrorOptions & { readonly violations?: readonly Violation[] } = {}
  ) {
    const { violations = [], ...rest } = options
    super(code, message, { ...rest, details: { ...rest.details, violations } })
    this.violations = violations
  }
}

// because one file often breaks several rules, the code is the one a person should act on first
const CODE_ORDER: readonly ManifestErrorCode[] = [
  'MANIFEST_SYNTAX',
  'MANIFEST_TOO_LARGE',
  'MANIFEST_UNSUPPORTED_KIND',
  'MANIFEST_UNSUPPORTED_FIELD',
  'MANIFEST_INVALID',
  'MANIFEST_MISSING_REFERENCE',
  'MANIFEST_NOT_CANONICAL',
  'MANIFEST_ARGUMENT'
]

/**
 * One error for all violations, as sentences a person can act on. Its code is the first of the codes present, in the
 * order syntax, too large, kind, field, invalid, missing reference.
 * @param violations at least one
 * @param file what to call the source; undefined says "the manifest"
 */
export function toManifestError(violations: readonly Violation[], file?: string): ManifestError {
  const code = CODE_ORDER.find((known) => violations.some((one) => one.code === known)) ?? 'MANIFEST_INVALID'
  const shown = violations.slice(0, MAX_VIOLATIONS)
  const source = file ?? 'the manifest'
  const count = violations.length === 1 ? 'one problem' : `${violations.length} problems`
  const lines = [`${source} cannot be accepted, ${count}:`, ...shown.map((one) => `  ${describe(one)}`)]
  if (shown.length < violations.length) lines.push(`  and ${violations.length - shown.length} more`)
  return new ManifestError(code, lines.join('\n'), {
    violations: shown,
    details: { ...(file === undefined ? {} : { file }), total: violations.length },
    hint: 'change the fields named above; docs/MANIFESTS.md lists what is supported'
  })
}

function describe({ document, kind, name, path, value, message, rule }: Violation): string {
  const what = [kind, name].filter((part) => part !== undefined).join(' ')
  const where = what === '' ? `document ${document}` : `document ${document} (${what})`
  const field = path === '' ? '' : ` ${path}${value === undefined ? '' : ` = ${value}`}`
  return `${where}:${field} ${message} [${rule}]`
}

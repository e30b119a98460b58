import { safeText } from '../../common/index.ts'
import { MAX_COLLECTED } from '../constants.ts'
import type { ManifestErrorCode, Violation } from '../errors.ts'
import { asRecord, asText, type JsonRecord } from '../objects/json.ts'

/** One document of a file, after the tree walk, with all null fields taken out. */
export interface SourceDocument {
  /** As a person counts: the first document is 1. */
  readonly index: number
  /** Where the object is in the document: empty, or `items[3]` in a List. */
  readonly root: string
  readonly value: JsonRecord
  /** Set for an object made of a Compose file: where a path of it is said there; undefined where that was reported already. */
  readonly sourcePath?: (path: string) => string | undefined
}

interface ReportOptions {
  /** Shown short, and not at all where it could be secret. */
  readonly value?: unknown
  /** @default 'MANIFEST_INVALID' */
  readonly code?: ManifestErrorCode
}

/** Notes one violation of one document; `path` is relative to the object. */
export type Report = (path: string, rule: string, message: string, options?: ReportOptions) => void

/** Longest value and longest path in a message, in characters. Chosen: a line on a terminal. */
const MAX_SHOWN_VALUE = 60
const MAX_SHOWN_PATH = 200

// because passwords are written in plain env values and pasted into annotations, not only in Secrets
const PRIVATE_PATH =
  /(?:^|\.)(?:env\[\d+\]|httpHeaders\[\d+\]|annotations\b|data\b|stringData\b|binaryData\b)/

/** A {@link Report} that appends to `violations` and says which document it was. */
export function createReport(document: SourceDocument, violations: Violation[]): Report {
  const { root, sourcePath } = document
  const madeOf = asText(document.value.kind)
  // because who wrote a Compose file does not know the objects that are made of it
  const kind = sourcePath === undefined ? madeOf : undefined
  const name = sourcePath === undefined ? asText(asRecord(document.value.metadata).name) : undefined
  return (path, rule, message, options = {}) => {
    if (violations.length >= MAX_COLLECTED) return
    const isPrivate = madeOf === 'Secret' || PRIVATE_PATH.test(path)
    const separator = root === '' || path === '' || path.startsWith('[') ? '' : '.'
    const place = sourcePath === undefined ? `${root}${separator}${path}` : sourcePath(path)
    if (place === undefined) return
    violations.push({
      code: options.code ?? 'MANIFEST_INVALID',
      document: document.index,
      ...(kind === undefined ? {} : { kind: safeText(kind, 63) }),
      ...(name === undefined ? {} : { name: safeText(name, 63) }),
      path: safeText(place, MAX_SHOWN_PATH),
      rule,
      ...(isPrivate || !('value' in options) ? {} : { value: showValue(options.value) }),
      message
    })
  }
}

function showValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.length} items]`
  if (typeof value === 'object' && value !== null) return '{…}'
  return safeText(JSON.stringify(value) ?? 'undefined', MAX_SHOWN_VALUE).replaceAll('\n', ' ')
}

import { CORE_SCHEMA, defineScalarTag, intCoreTag, loadAll, YAMLException } from 'js-yaml'
import { utf8 } from '../../common/index.ts'
import { createReport, type SourceDocument } from '../check/report.ts'
import { isCompose } from '../compose/index.ts'
import { MAX_DOCUMENTS, MAX_FILE_BYTES } from '../constants.ts'
import { type ManifestError, toManifestError, type Violation } from '../errors.ts'
import { asRecord, asText, isRecord, joinPath } from '../objects/json.ts'
import { normaliseTree } from './normalise-tree.ts'

/**
 * Because Kubernetes reads YAML 1.1, where `defaultMode: 0400` is octal: under YAML 1.2 it would silently become
 * decimal 400, which as permission bits is 0620, a Secret that the group may write.
 */
const kubernetesIntTag = defineScalarTag<number>(intCoreTag.tagName, {
  ...intCoreTag,
  resolve: (source, isExplicit, tagName) =>
    /^0[0-7]+$/.test(source) ? Number.parseInt(source, 8) : intCoreTag.resolve(source, isExplicit, tagName)
})
const SCHEMA = CORE_SCHEMA.withTags(kubernetesIntTag)

// because empty documents do not count but each separator costs the parser a document
const MAX_SEPARATORS = MAX_DOCUMENTS * 4

/**
 * The documents of a YAML or JSON file as safe plain data, Lists flattened, empty ones left out.
 * @param file what to call the text in errors
 * @throws ManifestError MANIFEST_TOO_LARGE, MANIFEST_SYNTAX, MANIFEST_INVALID
 */
export function readDocuments(text: string, file?: string): SourceDocument[] {
  if (text.length > MAX_FILE_BYTES || utf8(text).byteLength > MAX_FILE_BYTES)
    throw tooLarge(`is larger than ${MAX_FILE_BYTES} bytes`, file)
  if ((text.match(/^---(?=\s|$)/gm) ?? []).length > MAX_SEPARATORS) throw tooLarge(tooMany, file)
  return flattenDocuments(parseYaml(text, file), file)
}

/**
 * Checks the trees of parsed documents, flattens Lists and numbers the rest.
 * @throws ManifestError MANIFEST_TOO_LARGE, MANIFEST_INVALID
 */
export function flattenDocuments(parsed: readonly unknown[], file?: string): SourceDocument[] {
  const violations: Violation[] = []
  const documents: SourceDocument[] = []
  const budget = { nodes: 0 }
  for (const [position, raw] of parsed.entries()) {
    if (raw === null || raw === undefined) continue
    const index = position + 1
    // because the tree is not checked yet, only what it is may be named, and only if it is text
    const kind = asText(asRecord(raw).kind)
    const blank = { index, root: '', value: kind === undefined ? {} : { kind } }
    const report = createReport(blank, violations)
    const value = normaliseTree(
      raw,
      budget,
      (path, rule, message, isTooLarge) =>
        report(path, rule, message, { code: isTooLarge ? 'MANIFEST_TOO_LARGE' : 'MANIFEST_INVALID' }),
      // because there a variable or a volume without a value is still named
      { keepsNull: isCompose(raw) }
    )
    if (budget.nodes === 0 || value === undefined) continue
    if (!isRecord(value)) report('', 'type', 'must be an object with apiVersion, kind and metadata')
    else if (value.kind !== 'List') documents.push({ index, root: '', value })
    else documents.push(...listItems(value.items, index, report))
  }
  if (documents.length > MAX_DOCUMENTS) throw tooLarge(tooMany, file)
  if (violations.length > 0) throw toManifestError(violations, file)
  return documents
}

const tooMany = `holds more than ${MAX_DOCUMENTS} documents`

function listItems(
  items: unknown,
  index: number,
  report: ReturnType<typeof createReport>
): readonly SourceDocument[] {
  if (!Array.isArray(items)) {
    report('items', 'type', 'must be an array of objects')
    return []
  }
  return items.flatMap((value: unknown, position) => {
    const root = joinPath('items', position)
    if (isRecord(value)) return [{ index, root, value }]
    report(root, 'type', 'must be an object with apiVersion, kind and metadata')
    return []
  })
}

function tooLarge(message: string, file: string | undefined): ManifestError {
  return toManifestError(
    [{ code: 'MANIFEST_TOO_LARGE', document: 1, path: '', rule: 'size', message: `the file ${message}` }],
    file
  )
}

function parseYaml(text: string, file: string | undefined): unknown[] {
  try {
    return loadAll(text, { schema: SCHEMA, maxAliases: 0 })
  } catch (thrown) {
    // because a YAMLException and its stack quote the lines around the mistake, which may be a Secret: neither it nor
    // any name it mentions is kept, only the reason and the place
    const isYaml = thrown instanceof YAMLException
    const reason = isYaml
      ? thrown.reason.replace(/!?<[^>]*>|"[^"]*"|(?<=characters): .*$/gs, '')
      : 'unreadable'
    const aliases = reason.startsWith('aliases exceeded')
      ? 'aliases (*name) are not allowed; write it out'
      : reason
    // because this is what people try first with a chart, and the parser's own words lead nowhere
    const template = text.includes('{{')
      ? '; if this is a template, apply what `helm template` prints of it'
      : ''
    const mark = isYaml ? thrown.mark : undefined
    const place = mark === undefined ? '' : ` at line ${mark.line + 1}, column ${mark.column + 1}`
    throw toManifestError(
      [
        {
          code: 'MANIFEST_SYNTAX',
          document:
            text
              .slice(0, mark?.position ?? 0)
              .split(/^---(?=\s|$)/m)
              .filter((part) => part.trim() !== '').length || 1,
          path: '',
          rule: 'syntax',
          message: `is no YAML or JSON${place}: ${aliases.trim()}${template}`
        }
      ],
      file
    )
  }
}

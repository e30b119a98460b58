import { createReport, type Report, type SourceDocument } from '../check/report.ts'
import type { Violation } from '../errors.ts'
import { isRecord } from '../objects/json.ts'
import { checkFields } from './fields/check-fields.ts'
import { PROJECT_FIELDS } from './fields/project-fields.ts'
import { convertProject } from './project/convert-project.ts'
import { interpolate } from './values/interpolate.ts'

/** Whether a document is a Compose file: a mapping with `services` that does not say which Kubernetes object it is. */
export function isCompose(value: unknown): boolean {
  return (
    isRecord(value) &&
    Object.hasOwn(value, 'services') &&
    !Object.hasOwn(value, 'apiVersion') &&
    !Object.hasOwn(value, 'kind')
  )
}

/**
 * Documents with each Compose file replaced by the Kubernetes objects it stands for.
 * @param violations gets what Compose files say that is not taken; the objects are made of the rest, so that one run
 *   reports everything
 */
export function convertCompose(
  documents: readonly SourceDocument[],
  violations: Violation[]
): SourceDocument[] {
  return documents.flatMap((document) =>
    isCompose(document.value) ? convertDocument(document, violations) : [document]
  )
}

function convertDocument(document: SourceDocument, violations: Violation[]): SourceDocument[] {
  const reported = new Set<string>()
  const write = createReport(document, violations)
  const report: Report = (path, rule, message, options) => {
    // because several readers may look at one place
    if (reported.has(path)) return
    reported.add(path)
    write(path, rule, message, options)
  }
  checkFields(document.value, PROJECT_FIELDS, '', report)
  const extensions = Object.keys(document.value).filter((key) => key.startsWith('x-') && key !== 'x-beemesh')
  const used = Object.fromEntries(Object.entries(document.value).filter(([key]) => !extensions.includes(key)))
  const project = { value: interpolate(used, '', report), path: '' }
  return convertProject(project, report).map(({ object, traces }) => ({
    index: document.index,
    root: '',
    value: object,
    sourcePath: (path) => {
      const place = findPlace(traces, path)
      return reported.has(place) ? undefined : place
    }
  }))
}

/** The place of the longest known beginning of a path. */
function findPlace(traces: ReadonlyMap<string, string>, path: string): string {
  for (let end = path.length; end > 0; end -= 1) {
    const next = path.charAt(end)
    const place = next === '' || next === '.' || next === '[' ? traces.get(path.slice(0, end)) : undefined
    if (place !== undefined) return place
  }
  return traces.get('') ?? ''
}

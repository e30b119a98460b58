import { db, expectRefusal, type Json, project } from '../fixtures.ts'

export const FIELD = 'MANIFEST_UNSUPPORTED_FIELD'
export const INVALID = 'MANIFEST_INVALID'
export const MISSING = 'MANIFEST_MISSING_REFERENCE'

/** What is wrong with a file, and where, by which rule and with which code it is refused. */
export type Case = readonly [what: string, file: Json, path: string, rule: string, code: string]

/** A file of two services, `web` and `db`. */
export const two = (web: Json, other: Json, top: Json = {}) => project(web, top, { db: db(other) })

/** The file with a value put where the path leads. */
export function put(root: unknown, [head, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (head === undefined) return value
  if (typeof head === 'number') return [put({}, rest, value)]
  const record = (typeof root === 'object' && root !== null ? root : {}) as Json
  return { ...record, [head]: put(record[head], rest, value) }
}

/** A test for each case. */
export function refuseEach(cases: readonly Case[]): void {
  for (const [what, file, path, rule, code] of cases)
    it(`refuse ${what} at ${path}`, () => {
      expectRefusal(file, path, rule, code as typeof FIELD)
    })
}

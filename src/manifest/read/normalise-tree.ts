import { MAX_DEPTH, MAX_ITEMS, MAX_NODES } from '../constants.ts'
import { joinPath } from '../objects/json.ts'

/** Counts values over all documents of one file. */
export interface TreeBudget {
  nodes: number
}

export type TreeProblem = (path: string, rule: string, message: string, tooLarge: boolean) => void

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is what this is for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])
// because in these maps null is no way to say "unset": a key without a value is a mistake to report
const STRING_MAPS = new Set(['data', 'stringData', 'binaryData', 'labels', 'annotations', 'matchLabels'])

/**
 * A copy of parsed YAML or JSON that is safe to walk: plain objects, arrays, strings, booleans and finite safe numbers
 * only. Fields that are null are left out, because null means unset in Kubernetes; `keepsNull` keeps them. Stops at the first size problem.
 * @param budget shared by all documents of one file; counts up
 * @returns undefined when `problem` was called
 */
export function normaliseTree(
  root: unknown,
  budget: TreeBudget,
  problem: TreeProblem,
  { keepsNull = false }: { readonly keepsNull?: boolean } = {}
): unknown {
  let failed = false
  let stopped = false
  const fail = (path: string, rule: string, message: string, tooLarge = false) => {
    failed = true
    stopped ||= tooLarge
    problem(path, rule, message, tooLarge)
  }
  const checkText = (text: string, path: string, what: string) => {
    if (CONTROLS.test(text))
      fail(path, 'control-character', `${what} a control character other than newline and tab`)
    else if (!text.isWellFormed()) fail(path, 'unicode', `${what} half of a surrogate pair`)
  }

  const visit = (value: unknown, path: string, depth: number, isStringMap: boolean): unknown => {
    if (stopped) return undefined
    budget.nodes += 1
    if (budget.nodes > MAX_NODES)
      return fail(path, 'max-values', `is beyond the ${MAX_NODES} values that one file may hold`, true)
    if (depth > MAX_DEPTH) return fail(path, 'max-depth', `is nested deeper than ${MAX_DEPTH}`, true)
    if (value === null || typeof value === 'boolean') return value
    if (typeof value === 'string') {
      checkText(value, path, 'holds')
      return value
    }
    if (typeof value === 'number') {
      if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
        return fail(path, 'number', 'must be a number that is kept exactly (below 2^53)')
      return value === 0 ? 0 : value
    }
    if (Array.isArray(value) && value.length > MAX_ITEMS)
      return fail(path, 'max-items', `has ${value.length} items; a list has at most ${MAX_ITEMS}`, true)
    if (Array.isArray(value))
      return value.map((item, index) => visit(item, joinPath(path, index), depth + 1, false))
    if (typeof value !== 'object' || !isPlain(value))
      return fail(path, 'plain-data', 'must be plain data, without YAML tags')
    const copy: Record<string, unknown> = {}
    for (const key of Object.keys(value)) {
      if (stopped) return undefined
      const keyPath = joinPath(path, key)
      if (FORBIDDEN_KEYS.has(key)) {
        fail(keyPath, 'forbidden-key', 'is a key that no manifest may use')
        continue
      }
      checkText(key, keyPath, 'has a name with')
      const child = visit((value as Record<string, unknown>)[key], keyPath, depth + 1, STRING_MAPS.has(key))
      if (child !== null || isStringMap || keepsNull) copy[key] = child
    }
    return copy
  }

  const copy = visit(root, '', 0, false)
  return failed ? undefined : copy
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

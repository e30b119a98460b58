/** What is wrong with an operator and its values; undefined when nothing is. The same for labels of nodes and of pods. */
export function expressionProblem(
  operator: unknown,
  values: readonly unknown[]
): { readonly field: 'values'; readonly message: string } | undefined {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0
        ? undefined
        : { field: 'values', message: `must not be empty with ${operator}` }
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0 ? undefined : { field: 'values', message: `must be empty with ${operator}` }
    case 'Gt':
    case 'Lt':
      return values.length === 1 && parseWhole(values[0]) !== undefined
        ? undefined
        : { field: 'values', message: `must be one whole number, in quotes, with ${operator}` }
    default:
      return undefined
  }
}

/** What is wrong with a toleration; undefined when nothing is. */
export function tolerationProblem({
  key,
  operator,
  value
}: {
  readonly key?: unknown
  readonly operator?: unknown
  readonly value?: unknown
}): { readonly field: 'operator' | 'value'; readonly message: string } | undefined {
  if (key === undefined && operator !== 'Exists')
    return { field: 'operator', message: 'must be Exists where there is no key' }
  if (operator === 'Exists' && value !== undefined && value !== '')
    return { field: 'value', message: 'must be left out with Exists' }
  return undefined
}

/** A whole number as Kubernetes compares labels by Gt and Lt; undefined for anything else. */
export function parseWhole(text: unknown): number | undefined {
  return typeof text === 'string' && /^-?\d{1,15}$/.test(text) ? Number(text) : undefined
}

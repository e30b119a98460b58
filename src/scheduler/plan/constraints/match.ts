import {
  type NodeExpression,
  type NodeTerm,
  parseWhole,
  type Taint,
  type Toleration
} from '../../../manifest/index.ts'

interface Matched {
  readonly name: string
  /** Of nodeLabelsOf. */
  readonly labels: Readonly<Record<string, string>>
}

/** Whether a node meets a term: all expressions and fields hold; one with neither is met by none. */
export function matchesTerm({ name, labels }: Matched, { expressions, fields }: NodeTerm): boolean {
  if (expressions.length + fields.length === 0) return false
  return (
    expressions.every((one) => holds(labels, one)) &&
    fields.every(({ operator, values }) => values.includes(name) === (operator === 'In'))
  )
}

/** As Kubernetes has it: NotIn holds where there is no such label, Gt and Lt only for whole numbers. */
export function holds(
  labels: Readonly<Record<string, string>>,
  { key, operator, values }: NodeExpression
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default: {
      const [is, than] = [parseWhole(value), parseWhole(values[0])]
      if (is === undefined || than === undefined) return false
      return operator === 'Gt' ? is > than : is < than
    }
  }
}

export function tolerates(tolerations: readonly Toleration[], taint: Taint): boolean {
  return tolerations.some(
    ({ key, operator, value = '', effect }) =>
      (effect === undefined || effect === taint.effect) &&
      (key === undefined || key === taint.key) &&
      (operator === 'Exists' || value === taint.value)
  )
}

/** The taint as a person writes it. */
export function describeTaint({ key, value, effect }: Taint): string {
  return `${key}${value === '' ? '' : `=${value}`}:${effect}`
}

export function describeExpression({ key, operator, values }: NodeExpression): string {
  return `${key} ${operator}${values.length === 0 ? '' : ` ${values.join(', ')}`}`
}

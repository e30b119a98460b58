import type { GrantTerms, Quota } from './types.ts'

export const QUOTA_KEYS = ['cpuMillis', 'memoryBytes', 'storageBytes', 'workloads'] as const

/** In what a grant gives more than its issuer has; none: it gives at most that. */
export function excess(given: GrantTerms, has: GrantTerms): string[] {
  const problems: string[] = []
  if (!has.actions.includes('admin')) {
    const more = given.actions.filter((action) => !has.actions.includes(action))
    if (more.length > 0) problems.push(`actions ${more.join(', ')}`)
  }
  if (!isWithin(given.namespaces, has.namespaces, (one, other) => one === other)) problems.push('namespaces')
  if (!isWithin(given.registries, has.registries, isUnder)) problems.push('registries')
  for (const key of QUOTA_KEYS) if (exceeds(given.quota, has.quota, key)) problems.push(`quota ${key}`)
  if (given.delegations >= has.delegations) problems.push('delegations')
  if (given.notAfter > has.notAfter) problems.push('time after it ends')
  return problems
}

/** An empty list means everything, so it is only within an empty one. */
function isWithin(
  given: readonly string[],
  has: readonly string[],
  covers: (given: string, has: string) => boolean
): boolean {
  if (has.length === 0) return true
  return given.length > 0 && given.every((one) => has.some((other) => covers(one, other)))
}

/** Whether an image name or prefix lies under a prefix, by whole path segments. */
export function isUnder(name: string, prefix: string): boolean {
  const [segments, wanted] = [name, prefix].map((text) => text.replace(/\/+$/, '').split('/'))
  return wanted!.every((segment, index) => segments![index] === segment)
}

function exceeds(given: Quota, has: Quota, key: (typeof QUOTA_KEYS)[number]): boolean {
  const [wants, may] = [given[key], has[key]]
  return may !== undefined && (wants === undefined || wants > may)
}

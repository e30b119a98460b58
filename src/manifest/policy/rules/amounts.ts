import { PIDS_LIMIT_ANNOTATION } from '../../constants.ts'
import { type Amounts, amountsOf } from '../../objects/amounts.ts'
import { type Container, podSpecPath, podTemplateOf, workloadOf } from '../../objects/kube.ts'
import { pidsLimitOf } from '../../plans/annotations.ts'
import type { Manifest } from '../../types.ts'
import { limitsOf, withDefaultLimits } from '../default-limits.ts'
import type { PolicyViolation, SandboxRules } from '../types.ts'

const NAMES = { cpuMillis: 'cpu', memoryBytes: 'memory' } as const
const AMOUNTS = ['cpuMillis', 'memoryBytes'] as const

/** How much one container may have, and all copies of the manifest on this node together. */
export function checkAmounts(manifest: Manifest, rules: SandboxRules, copies: number): PolicyViolation[] {
  return [
    ...checkContainers(manifest, rules),
    ...checkPids(manifest, rules),
    ...checkTotal(manifest, rules, copies)
  ]
}

function checkContainers(manifest: Manifest, { maxPerContainer }: SandboxRules): PolicyViolation[] {
  return containersOf(manifest).flatMap(({ path, container }) =>
    (['limits', 'requests'] as const).flatMap((group) =>
      AMOUNTS.flatMap((key): PolicyViolation[] => {
        const amount = amountsOf(container, group)[key]
        const max = maxPerContainer[key]
        if (amount === undefined || max === undefined || amount <= max) return []
        const message = `must be at most ${shown(key, max)} for one container`
        return [{ path: `${path}.resources.${group}.${NAMES[key]}`, rule: 'maxPerContainer', message }]
      })
    )
  )
}

function checkPids(manifest: Manifest, { maxPerContainer }: SandboxRules): PolicyViolation[] {
  const { pids: max } = maxPerContainer
  if (max === undefined || (pidsLimitOf(manifest) ?? 0) <= max) return []
  return [
    {
      path: `metadata.annotations["${PIDS_LIMIT_ANNOTATION}"]`,
      rule: 'maxPerContainer',
      message: `must be at most ${max} for one container`
    }
  ]
}

function checkTotal(manifest: Manifest, rules: SandboxRules, copies: number): PolicyViolation[] {
  const { maxPerManifest: max } = rules
  const found: PolicyViolation[] = []
  const refuse = (path: string, message: string) => found.push({ path, rule: 'maxPerManifest', message })
  const many = copies === 1 ? 'one copy' : `${copies} copies`
  const podPath = podSpecPath(manifest.kind)
  if (max.copies !== undefined && copies > max.copies)
    refuse('spec', `asks for ${many} on this node, at most ${max.copies} are allowed`)
  for (const key of AMOUNTS) {
    const limit = max[key]
    if (limit === undefined) continue
    const containers = containersOf(withDefaultLimits(manifest, limitsOf(rules)))
    // because what has no limit could take all of it
    const unbounded = containers.filter(({ container }) => amountsOf(container, 'limits')[key] === undefined)
    for (const { path } of unbounded) refuse(`${path}.resources.limits.${NAMES[key]}`, 'must be stated')
    const total = copies * sumOf(containers, key)
    if (unbounded.length === 0 && total > limit)
      refuse(
        podPath,
        `has limits of ${shown(key, total)} in ${many}, at most ${shown(key, limit)} are allowed`
      )
  }
  const storage = copies * manifest.resources.storageBytes
  if (max.storageBytes !== undefined && storage > max.storageBytes)
    refuse(podPath, `asks for ${storage} bytes of disk in ${many}, at most ${max.storageBytes} are allowed`)
  return found
}

interface LimitedContainer {
  readonly path: string
  readonly container: Container
  readonly isInit: boolean
}

function containersOf(manifest: Manifest): LimitedContainer[] {
  const path = podSpecPath(manifest.kind)
  const { initContainers = [], containers } = podTemplateOf(workloadOf(manifest)).spec
  return [
    ...initContainers.map((container, index) => ({
      container,
      isInit: true,
      path: `${path}.initContainers[${index}]`
    })),
    ...containers.map((container, index) => ({
      container,
      isInit: false,
      path: `${path}.containers[${index}]`
    }))
  ]
}

/** Limits of one copy: of its containers together, or of its largest init container, which runs alone. */
function sumOf(containers: readonly LimitedContainer[], key: keyof Amounts): number {
  const limitOf = ({ container }: LimitedContainer) => amountsOf(container, 'limits')[key] ?? 0
  return Math.max(
    containers.filter(({ isInit }) => !isInit).reduce((sum, one) => sum + limitOf(one), 0),
    ...containers.filter(({ isInit }) => isInit).map(limitOf)
  )
}

function shown(key: keyof Amounts, amount: number): string {
  return key === 'cpuMillis' ? `${amount}m cpu` : `${amount} bytes of memory`
}

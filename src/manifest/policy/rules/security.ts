import { asList, asRecord } from '../../objects/json.ts'
import type { ContainerPlace, PodPlaces } from '../pod-places.ts'
import type { PolicyViolation, SandboxRules } from '../types.ts'

/** Who a container runs as and what it may gain, container by container: what one says of itself wins over the pod. */
export function checkSecurity(pod: PodPlaces, rules: SandboxRules): PolicyViolation[] {
  return pod.containers.flatMap((container) => [
    ...(rules.root ? [] : checkUser(container, pod)),
    ...checkPrivileges(container, rules),
    ...checkSeccomp(container, pod, rules)
  ])
}

function checkUser({ path, security }: ContainerPlace, pod: PodPlaces): PolicyViolation[] {
  const at = `${path}.securityContext`
  const found: PolicyViolation[] = []
  if ((security.runAsNonRoot ?? pod.security.runAsNonRoot) !== true)
    found.push({ path: `${at}.runAsNonRoot`, rule: 'root', message: 'must be true, here or at the pod' })
  const user = security.runAsUser ?? pod.security.runAsUser
  if (!(typeof user === 'number' && user > 0))
    found.push({ path: `${at}.runAsUser`, rule: 'root', message: 'must be above 0, here or at the pod' })
  return found
}

function checkPrivileges({ path, security }: ContainerPlace, rules: SandboxRules): PolicyViolation[] {
  const at = `${path}.securityContext`
  const { drop, add } = asRecord(security.capabilities)
  const found: PolicyViolation[] = []
  if (!rules.privilegeEscalation && security.allowPrivilegeEscalation !== false)
    found.push({
      path: `${at}.allowPrivilegeEscalation`,
      rule: 'privilegeEscalation',
      message: 'must be false'
    })
  if (rules.requireReadOnlyRoot && security.readOnlyRootFilesystem !== true)
    found.push({
      path: `${at}.readOnlyRootFilesystem`,
      rule: 'requireReadOnlyRoot',
      message: 'must be true'
    })
  if (rules.requireDropAll && !asList(drop).some((one) => String(one).toUpperCase() === 'ALL'))
    found.push({ path: `${at}.capabilities.drop`, rule: 'requireDropAll', message: 'must have ALL' })
  const { addCapabilities: allowed } = rules
  if (allowed !== 'any')
    for (const [index, name] of asList(add).entries())
      if (!allowed.includes(String(name)))
        found.push({
          path: `${at}.capabilities.add[${index}]`,
          rule: 'addCapabilities',
          message: `must be ${allowed.length === 0 ? 'left out' : `one of ${allowed.join(', ')}`}`
        })
  return found
}

function checkSeccomp(
  { path, security }: ContainerPlace,
  pod: PodPlaces,
  { seccomp }: SandboxRules
): PolicyViolation[] {
  const { type } = asRecord(security.seccompProfile ?? pod.security.seccompProfile)
  const at = `${path}.securityContext.seccompProfile`
  if (seccomp === 'declared' && type !== 'RuntimeDefault')
    return [{ path: at, rule: 'seccomp', message: 'must be of type RuntimeDefault, here or at the pod' }]
  if (seccomp === 'confined' && type === 'Unconfined')
    return [{ path: at, rule: 'seccomp', message: 'must not be Unconfined' }]
  return []
}

import { asList, asNumber, asRecord, type JsonRecord } from '../objects/json.ts'
import type { Report } from './report.ts'

const UNSUPPORTED = { code: 'MANIFEST_UNSUPPORTED_FIELD' } as const

/** Reports runAsNonRoot that nothing would enforce, and a group without its user. */
export function checkUser(container: JsonRecord, pod: JsonRecord, path: string, report: Report): void {
  const own = asRecord(container.securityContext)
  const user = asNumber(own.runAsUser ?? pod.runAsUser)
  const at = `${path}.securityContext`
  if ((own.runAsNonRoot ?? pod.runAsNonRoot) === true && !(user !== undefined && user > 0))
    report(
      `${at}.runAsUser`,
      'non-root',
      'must be above 0, here or at the pod, because runAsNonRoot is true and engines do not check the image for it',
      UNSUPPORTED
    )
  if ((own.runAsGroup ?? pod.runAsGroup) !== undefined && user === undefined)
    report(`${at}.runAsUser`, 'required', 'is missing, here or at the pod: runAsGroup needs it')
}

/** fsGroup is what happens anyway where it is every container's group: engines make volumes for the user that mounts them. */
export function checkFsGroup(spec: JsonRecord, path: string, report: Report): void {
  const pod = asRecord(spec.securityContext)
  const { fsGroup } = pod
  if (fsGroup === undefined) return
  const containers = [...asList(spec.initContainers), ...asList(spec.containers)]
  const groups = containers.map((one) => asRecord(asRecord(one).securityContext).runAsGroup ?? pod.runAsGroup)
  if (groups.every((group) => group === fsGroup)) return
  report(
    `${path}.securityContext.fsGroup`,
    'refused',
    'is refused: volumes belong to runAsUser and runAsGroup; set runAsGroup to the same number, or leave fsGroup out',
    { ...UNSUPPORTED, value: fsGroup }
  )
}

/** A service account means nothing here, so only one that would change nothing in Kubernetes either is accepted. */
export function checkServiceAccount(spec: JsonRecord, path: string, report: Report): void {
  if (spec.automountServiceAccountToken === false) return
  for (const field of ['serviceAccountName', 'serviceAccount'])
    if (typeof spec[field] === 'string' && spec[field] !== '' && spec[field] !== 'default')
      report(
        `${path}.${field}`,
        'refused',
        'is refused: there is no Kubernetes API to give a token for; leave it out, or add automountServiceAccountToken: false',
        { ...UNSUPPORTED, value: spec[field] }
      )
}

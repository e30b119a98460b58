import { asList, asRecord, type JsonRecord } from '../../objects/json.ts'
import type { PodPlaces } from '../pod-places.ts'
import type { PolicyViolation } from '../types.ts'

/** Sources of volumes that give nothing of the machine. Source: Pod Security Standards, restricted, "Volume Types". */
const VOLUME_SOURCES = ['configMap', 'secret', 'emptyDir', 'persistentVolumeClaim']

const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe']

/**
 * What would open the machine itself, under any policy. The manifest format refuses all of this before; it is looked for again
 * so that a mistake there gives nobody the machine.
 */
export function checkHost({ path, spec, security, containers }: PodPlaces): PolicyViolation[] {
  const found: PolicyViolation[] = []
  const refuse = (at: string, rule: PolicyViolation['rule'], message: string) =>
    found.push({ path: at, rule, message })

  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'])
    if (isSaid(spec[field]))
      refuse(`${path}.${field}`, 'hostNamespaces', 'would share a namespace of the machine')
  for (const [index, raw] of asList(spec.volumes).entries()) {
    const at = `${path}.volumes[${index}]`
    const sources = Object.keys(asRecord(raw)).filter((field) => field !== 'name')
    if (sources.includes('hostPath'))
      refuse(`${at}.hostPath`, 'hostPath', "would open the machine's own files")
    for (const source of sources)
      if (source !== 'hostPath' && !VOLUME_SOURCES.includes(source))
        refuse(`${at}.${source}`, 'volumeTypes', `is none of ${VOLUME_SOURCES.join(', ')}`)
  }
  if (asList(security.sysctls).length > 0)
    refuse(`${path}.securityContext.sysctls`, 'sysctls', 'would change settings of the kernel')
  checkLabels(security, `${path}.securityContext`, refuse)
  for (const { path: at, value, security: own } of containers) {
    if (isSaid(own.privileged))
      refuse(`${at}.securityContext.privileged`, 'privileged', 'would give it full power over the machine')
    if (isSaid(own.procMount) && own.procMount !== 'Default')
      refuse(`${at}.securityContext.procMount`, 'procMount', 'would unmask parts of /proc')
    checkLabels(own, `${at}.securityContext`, refuse)
    for (const probe of PROBES)
      for (const handler of ['httpGet', 'tcpSocket'])
        if (isSaid(asRecord(asRecord(value[probe])[handler]).host))
          refuse(`${at}.${probe}.${handler}.host`, 'probeHost', 'would have the node call another machine')
  }
  return found
}

/** Labels and profiles that would take the place of the engine's. */
function checkLabels(
  security: JsonRecord,
  path: string,
  refuse: (at: string, rule: PolicyViolation['rule'], message: string) => void
): void {
  if (isSaid(security.seLinuxOptions))
    refuse(`${path}.seLinuxOptions`, 'seLinux', "would replace the engine's SELinux label")
  const { type } = asRecord(security.appArmorProfile)
  if (isSaid(security.appArmorProfile) && type !== 'RuntimeDefault')
    refuse(`${path}.appArmorProfile`, 'appArmor', "would replace the engine's AppArmor profile")
  if (isSaid(security.windowsOptions))
    refuse(`${path}.windowsOptions`, 'windows', 'could ask for a process of the host')
}

/** Whether it is there and is not a plain no. */
function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== ''
}

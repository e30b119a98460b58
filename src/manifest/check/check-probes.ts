import { asList, asNumber, asRecord, asText, type JsonRecord } from '../objects/json.ts'
import type { Report } from './report.ts'

const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc']

/** What a JSON Schema cannot say of the probes of one container. Takes unchecked data. */
export function checkProbes(container: JsonRecord, path: string, report: Report): void {
  for (const field of PROBES) {
    if (!(field in container)) continue
    const probe = asRecord(container[field])
    const at = `${path}.${field}`
    const handlers = HANDLERS.filter((handler) => handler in probe)
    if (handlers.length !== 1)
      report(at, 'one-source', 'must have exactly one of exec, httpGet and tcpSocket')
    for (const handler of ['httpGet', 'tcpSocket']) {
      const port = asText(asRecord(probe[handler]).port)
      const isDeclared = asList(container.ports).some((one) => asRecord(one).name === port)
      if (port !== undefined && !isDeclared)
        report(`${at}.${handler}.port`, 'exists', 'names no port of this container', { value: port })
    }
    const successes = asNumber(probe.successThreshold)
    if (field !== 'readinessProbe' && successes !== undefined && successes !== 1)
      report(`${at}.successThreshold`, 'choice', 'must be 1 but in a readinessProbe', { value: successes })
    if (field === 'readinessProbe' && 'terminationGracePeriodSeconds' in probe)
      report(
        `${at}.terminationGracePeriodSeconds`,
        'refused',
        'is refused: a readinessProbe ends nothing; leave it out',
        { code: 'MANIFEST_UNSUPPORTED_FIELD' }
      )
  }
}

/** An init container runs to its end, so nothing may ask whether it lives. */
export function refuseProbes(container: JsonRecord, path: string, report: Report): void {
  for (const field of PROBES)
    if (field in container)
      report(`${path}.${field}`, 'refused', 'is refused: an init container runs to its end; leave it out', {
        code: 'MANIFEST_UNSUPPORTED_FIELD'
      })
}

import { asList, asNumber, asRecord, asText, type JsonRecord } from '../objects/json.ts'
import type { Report } from './report.ts'

/** What a JSON Schema cannot say of a Service. Takes unchecked data. */
export function checkService(spec: JsonRecord, report: Report): void {
  const seen = { ports: new Set<string>(), names: new Set<string>(), nodePorts: new Set<string>() }
  const ports = asList(spec.ports)
  for (const [index, raw] of ports.entries()) {
    const port = asRecord(raw)
    const at = `spec.ports[${index}]`
    const protocol = asText(port.protocol) ?? 'TCP'
    const once = (set: Set<string>, key: string, path: string, what: string) => {
      if (set.has(key)) report(path, 'unique', `is the ${what} of two ports`)
      set.add(key)
    }
    const name = asText(port.name)
    if (name !== undefined) once(seen.names, name, `${at}.name`, 'name')
    else if (ports.length > 1)
      report(`${at}.name`, 'required', 'is missing: a Service with several ports names each')
    if (asNumber(port.port) !== undefined) once(seen.ports, `${port.port}/${protocol}`, `${at}.port`, 'port')
    if ((asNumber(port.nodePort) ?? 0) === 0) continue
    once(seen.nodePorts, `${port.nodePort}/${protocol}`, `${at}.nodePort`, 'nodePort')
    if (spec.type === undefined || spec.type === 'ClusterIP')
      report(`${at}.nodePort`, 'choice', 'needs type: NodePort', { value: port.nodePort })
  }
}

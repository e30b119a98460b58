import { isIP } from 'node:net'
import { asList, asNumber, asRecord, asText, type JsonRecord } from '../objects/json.ts'
import { parseMemoryBytes } from '../objects/quantity.ts'
import { checkProbes, refuseProbes } from './check-probes.ts'
import { checkResources } from './check-resources.ts'
import { checkFsGroup, checkServiceAccount, checkUser } from './check-user.ts'
import type { Report } from './report.ts'

interface CheckPodOptions {
  readonly report: Report
  /** Names that are volumes too, in a StatefulSet. */
  readonly claimTemplates?: ReadonlySet<string> | undefined
}

/**
 * What a JSON Schema cannot say of a pod: names that must be unique or must exist, users, addresses, paths. Takes
 * unchecked data, so that one run reports everything; a field of the wrong type is the schema's to report.
 * @param path of the pod spec in the document
 */
export function checkPod(
  spec: JsonRecord,
  path: string,
  { report, claimTemplates = new Set() }: CheckPodOptions
): void {
  const volumes = checkVolumes(spec, path, { report, claimTemplates })
  const containerNames = new Set<string>()
  const ports = { numbers: new Set<string>(), names: new Set<string>(), hostPorts: new Set<string>() }
  for (const field of ['initContainers', 'containers'] as const) {
    for (const [index, raw] of asList(spec[field]).entries()) {
      const container = asRecord(raw)
      const at = `${path}.${field}[${index}]`
      unique(containerNames, container.name, `${at}.name`, 'is the name of two containers', report)
      checkMounts(container, volumes, at, report)
      checkEnv(container, at, report)
      checkUser(container, asRecord(spec.securityContext), at, report)
      checkResources(container, at, report)
      if (field === 'containers') {
        ports.names.clear()
        checkPorts(container, ports, at, report)
        checkProbes(container, at, report)
        continue
      }
      refuseProbes(container, at, report)
      if (asList(container.ports).length > 0)
        report(
          `${at}.ports`,
          'refused',
          'is refused: an init container has ended before anyone can reach it',
          {
            code: 'MANIFEST_UNSUPPORTED_FIELD'
          }
        )
    }
  }
  checkAddresses(spec, path, report)
  checkFsGroup(spec, path, report)
  checkServiceAccount(spec, path, report)
}

function unique(seen: Set<string>, value: unknown, path: string, message: string, report: Report): void {
  const text = asText(value)
  if (text === undefined) return
  if (seen.has(text)) report(path, 'unique', message, { value })
  seen.add(text)
}

function checkVolumes(
  spec: JsonRecord,
  path: string,
  { report, claimTemplates }: Required<CheckPodOptions>
): ReadonlySet<string> {
  const names = new Set<string>(claimTemplates)
  for (const [index, raw] of asList(spec.volumes).entries()) {
    const volume = asRecord(raw)
    const at = `${path}.volumes[${index}]`
    unique(
      names,
      volume.name,
      `${at}.name`,
      'is the name of two volumes, or of a volume and a volumeClaimTemplate',
      report
    )
    checkEmptyDir(asRecord(volume.emptyDir), `${at}.emptyDir`, report)
    const sources = ['emptyDir', 'configMap', 'secret', 'persistentVolumeClaim'].filter(
      (source) => source in volume
    )
    if (sources.length > 1) report(at, 'one-source', `has ${sources.join(' and ')}; a volume has one source`)
    for (const source of ['configMap', 'secret']) {
      const filePaths = new Set<string>()
      for (const [item, rawItem] of asList(asRecord(volume[source]).items).entries()) {
        const itemPath = `${at}.${source}.items[${item}].path`
        const file = asText(asRecord(rawItem).path)
        unique(filePaths, file, itemPath, 'is the path of two items', report)
        if (
          file !== undefined &&
          [...filePaths].some((other) => isBeneath(file, other) || isBeneath(other, file))
        )
          report(itemPath, 'path', 'is a file and a directory of another item', { value: file })
        if (file !== undefined && !isCleanPath(file))
          report(itemPath, 'path', 'must not contain empty parts, . or ..', { value: file })
      }
    }
  }
  return names
}

function isBeneath(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`)
}

function checkEmptyDir({ medium, sizeLimit }: JsonRecord, path: string, report: Report): void {
  if (typeof sizeLimit !== 'string' && typeof sizeLimit !== 'number') return
  const at = `${path}.sizeLimit`
  if (medium !== 'Memory')
    report(at, 'refused', 'is refused: engines cannot limit a directory on disk; it needs medium: Memory', {
      value: sizeLimit,
      code: 'MANIFEST_UNSUPPORTED_FIELD'
    })
  else if ((parseMemoryBytes(sizeLimit) ?? 0) <= 0)
    report(at, 'quantity', 'must be whole bytes, such as 64Mi', { value: sizeLimit })
}

/** Whether no part between slashes is empty, `.` or `..`. */
function isCleanPath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

function checkMounts(
  container: JsonRecord,
  volumes: ReadonlySet<string>,
  path: string,
  report: Report
): void {
  const mountPaths = new Set<string>()
  for (const [index, raw] of asList(container.volumeMounts).entries()) {
    const at = `${path}.volumeMounts[${index}]`
    const { name, mountPath } = asRecord(raw)
    const volume = asText(name)
    if (volume !== undefined && !volumes.has(volume))
      report(`${at}.name`, 'exists', 'names no volume of this pod', { value: volume })
    const target = asText(mountPath)?.replace(/\/$/, '')
    if (target === undefined) continue
    unique(mountPaths, target, `${at}.mountPath`, 'is mounted twice', report)
    if (target === '' || !isCleanPath(target.slice(1)))
      report(`${at}.mountPath`, 'path', 'must be a directory below / without empty parts, . or ..', {
        value: mountPath
      })
  }
}

function checkEnv(container: JsonRecord, path: string, report: Report): void {
  const names = new Set<string>()
  for (const [index, raw] of asList(container.env).entries()) {
    const at = `${path}.env[${index}]`
    const variable = asRecord(raw)
    unique(names, variable.name, `${at}.name`, 'is set twice; the first would be lost', report)
    if ('value' in variable && 'valueFrom' in variable)
      report(at, 'one-source', 'has value and valueFrom; a variable has one')
  }
  for (const [index, raw] of asList(container.envFrom).entries()) {
    const source = asRecord(raw)
    if ('configMapRef' in source === 'secretRef' in source)
      report(`${path}.envFrom[${index}]`, 'one-source', 'must have one of configMapRef and secretRef')
  }
}

interface SeenPorts {
  readonly numbers: Set<string>
  readonly names: Set<string>
  readonly hostPorts: Set<string>
}

function checkPorts(container: JsonRecord, seen: SeenPorts, path: string, report: Report): void {
  for (const [index, raw] of asList(container.ports).entries()) {
    const port = asRecord(raw)
    const at = `${path}.ports[${index}]`
    const number = asNumber(port.containerPort)
    const key = `${number}/${asText(port.protocol) ?? 'TCP'}`
    if (number !== undefined)
      unique(
        seen.numbers,
        key,
        `${at}.containerPort`,
        'is declared twice; containers of a pod share one network',
        report
      )
    const { hostPort, hostIP } = port
    const place = `${asText(hostIP) ?? ''}:${asNumber(hostPort)}/${asText(port.protocol) ?? 'TCP'}`
    if (hostPort !== undefined && hostPort !== 0)
      unique(seen.hostPorts, place, `${at}.hostPort`, 'is published twice', report)
    unique(seen.names, port.name, `${at}.name`, 'is the name of two ports', report)
    checkAddress(port.hostIP, `${at}.hostIP`, report)
  }
}

function checkAddresses(spec: JsonRecord, path: string, report: Report): void {
  for (const [index, alias] of asList(spec.hostAliases).entries())
    checkAddress(asRecord(alias).ip, `${path}.hostAliases[${index}].ip`, report)
  for (const [index, server] of asList(asRecord(spec.dnsConfig).nameservers).entries())
    checkAddress(server, `${path}.dnsConfig.nameservers[${index}]`, report)
}

function checkAddress(value: unknown, path: string, report: Report): void {
  const address = asText(value)
  if (address !== undefined && isIP(address) === 0)
    report(path, 'ip', 'must be an IP address', { value: address })
}

import { isIP } from 'node:net'
import type { Report } from '../../check/report.ts'
import { isRecord } from '../../objects/json.ts'
import type { Service } from '../service/convert-service.ts'
import { type Fields, UNSUPPORTED } from '../service/draft.ts'
import { entriesOf, itemsOf, type Spot, textOf, under } from '../values/spot.ts'
import type { Agreed } from './agree.ts'

const LOCALHOST = '127.0.0.1'
/** Names of one entry. Source: maxItems of hostnames in pod-spec.schema.json. */
const MAX_HOSTNAMES = 16

/**
 * hostAliases by which services find each other, on the one address they share, and those of extra_hosts; each with the
 * places of its names.
 */
export function hostAliasesOf(services: readonly Service[], report: Report): HostAlias[] {
  const names = new Map<string, string>()
  for (const service of services)
    for (const { value, path } of namesOf(service, report)) if (!names.has(value)) names.set(value, path)
  const addresses = new Map<string, Map<string, string>>([[LOCALHOST, names]])
  const known = new Map<string, Agreed<string>>()
  for (const { draft } of services)
    for (const { host, ip, path } of extraHosts(under(draft.spot, 'extra_hosts'), report)) {
      const before = known.get(host)
      if (names.has(host)) report(path, 'unique', 'is a name of a service')
      else if (before !== undefined && before.value !== ip)
        report(
          path,
          'refused',
          `is refused: it differs from ${before.path}, and services share one /etc/hosts`,
          UNSUPPORTED
        )
      if (before !== undefined || names.has(host)) continue
      known.set(host, { value: ip, path })
      const hosts = addresses.get(ip) ?? new Map<string, string>()
      addresses.set(ip, hosts.set(host, path))
    }
  return [...addresses].flatMap(([ip, hosts]) => chunks([...hosts]).map((some) => ({ ip, hosts: some })))
}

export interface HostAlias {
  readonly ip: string
  /** Name and place of each. */
  readonly hosts: readonly (readonly [name: string, path: string])[]
}

export function toHostAlias({ ip, hosts }: HostAlias): Fields {
  return { ip, hostnames: hosts.map(([name]) => name) }
}

function namesOf({ name, draft: { spot } }: Service, report: Report): Agreed<string>[] {
  const networks = under(spot, 'networks')
  const aliases = isRecord(networks.value)
    ? entriesOf(networks, report).flatMap((entry) => itemsOf(under(entry, 'aliases'), report))
    : []
  const spots = [under(spot, 'container_name'), under(spot, 'hostname'), ...aliases]
  return [
    { value: name, path: spot.path },
    ...spots.flatMap((one) => {
      const value = textOf(one, report)
      return value === undefined ? [] : [{ value, path: one.path }]
    })
  ]
}

/** A list of `HOST=IP` or `HOST:IP`, or a mapping to one address or several. */
function extraHosts(
  spot: Spot,
  report: Report
): { readonly host: string; readonly ip: string; readonly path: string }[] {
  const written = isRecord(spot.value)
    ? entriesOf(spot, report).flatMap((entry) => {
        const spots = Array.isArray(entry.value) ? itemsOf(entry, report) : [entry]
        return spots.map((one) => ({ host: entry.name, ip: textOf(one, report) ?? '', path: one.path }))
      })
    : itemsOf(spot, report).map((item) => {
        const [, host = '', ip = ''] = /^([^=:]*)[=:](.*)$/s.exec(textOf(item, report) ?? '') ?? []
        return { host, ip, path: item.path }
      })
  return written.flatMap(({ host, ip, path }) => {
    const address = ip.replace(/^\[(.*)\]$/, '$1')
    if (isIP(address) !== 0 && host !== '') return [{ host, ip: address, path }]
    const isGateway = address === 'host-gateway'
    report(
      path,
      isGateway ? 'refused' : 'ip',
      isGateway ? 'is refused: the machine has no address for workloads' : 'must be HOST=IP',
      isGateway ? UNSUPPORTED : {}
    )
    return []
  })
}

function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / MAX_HOSTNAMES) }, (_, index) =>
    all.slice(index * MAX_HOSTNAMES, (index + 1) * MAX_HOSTNAMES)
  )
}

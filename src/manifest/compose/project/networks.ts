import type { Report } from '../../check/report.ts'
import { isRecord } from '../../objects/json.ts'
import type { Service } from '../service/convert-service.ts'
import { UNSUPPORTED } from '../service/draft.ts'
import { entriesOf, itemsOf, type Spot, textOf, under } from '../values/spot.ts'

/** The network of services that name none. */
const DEFAULT = 'default'

/** Reports networks that would keep services apart, because in one pod all reach all; and those that do not exist. */
export function checkNetworks(project: Spot, services: readonly Service[], report: Report): void {
  const declared = entriesOf(under(project, 'networks'), report)
  const known = new Set([DEFAULT, ...declared.map(({ name }) => name)])
  const used = new Set<string>([DEFAULT])
  const members = services.map((service) => {
    const networks = networksOf(service, report)
    for (const { name, path } of networks) {
      used.add(name)
      if (!known.has(name))
        report(path, 'reference', 'names a network that is not under networks at the top of the file', {
          code: 'MANIFEST_MISSING_REFERENCE'
        })
    }
    return { service, names: new Set(networks.length === 0 ? [DEFAULT] : networks.map(({ name }) => name)) }
  })
  for (const { name, path } of declared)
    if (!used.has(name)) report(path, 'unused', 'is used by no service of this file')
  for (const [index, one] of members.entries()) {
    const apart = members
      .slice(0, index)
      .filter((other) => ![...one.names].some((name) => other.names.has(name)))
      .map(({ service }) => service.name)
    if (apart.length > 0)
      report(
        under(one.service.draft.spot, 'networks').path,
        'refused',
        `is refused: it keeps the service apart from ${apart.slice(0, 3).join(', ')}, but containers of a pod all reach each other; put them on one network, or into files of their own`,
        UNSUPPORTED
      )
  }
}

function networksOf(
  { draft: { spot } }: Service,
  report: Report
): readonly { readonly name: string; readonly path: string }[] {
  const networks = under(spot, 'networks')
  if (isRecord(networks.value)) return entriesOf(networks, report)
  return itemsOf(networks, report).flatMap((item) => {
    const name = textOf(item, report)
    return name === undefined ? [] : [{ name, path: item.path }]
  })
}

import type { Report } from '../../check/report.ts'
import { isRecord } from '../../objects/json.ts'
import type { Service } from '../service/convert-service.ts'
import { UNSUPPORTED } from '../service/draft.ts'
import { entriesOf, flagOf, itemsOf, textOf, under } from '../values/spot.ts'

const CONDITIONS = ['service_started', 'service_healthy', 'service_completed_successfully']

interface Dependency {
  readonly name: string
  readonly condition: string
  readonly path: string
}

export interface Order {
  /** Those that must complete before the others start. */
  readonly init: readonly Service[]
  readonly main: readonly Service[]
  /** Where a service waits for another to be healthy. */
  readonly waits: readonly string[]
}

/** Services behind what they depend on, else as written. Reports what is missing, goes round, or cannot be waited for. */
export function orderServices(services: readonly Service[], report: Report): Order {
  const known = new Map(services.map((service) => [service.name, service]))
  const dependencies = new Map(
    services.map((service) => [service.name, dependenciesOf(service, known, report)])
  )
  const sorted = sort(known, dependencies, report)
  const all = [...dependencies.values()].flat()
  const completing = new Set(
    all.filter(({ condition }) => condition === 'service_completed_successfully').map(({ name }) => name)
  )
  for (const name of completing)
    for (const needed of dependencies.get(name) ?? [])
      if (!completing.has(needed.name))
        report(
          needed.path,
          'refused',
          `is refused: another service waits for ${name} to complete, so it runs before all that stay, and cannot need one of them`,
          UNSUPPORTED
        )
  return {
    init: sorted.filter(({ name }) => completing.has(name)),
    main: sorted.filter(({ name }) => !completing.has(name)),
    waits: all.filter(({ condition }) => condition === 'service_healthy').map(({ path }) => path)
  }
}

function dependenciesOf(
  { name, draft }: Service,
  known: ReadonlyMap<string, Service>,
  report: Report
): Dependency[] {
  const spot = under(draft.spot, 'depends_on')
  const written = isRecord(spot.value)
    ? entriesOf(spot, report).map((entry) => ({
        name: entry.name,
        condition: textOf(under(entry, 'condition'), report) ?? 'service_started',
        isRequired: flagOf(under(entry, 'required'), report) ?? true,
        path: entry.path
      }))
    : itemsOf(spot, report).flatMap((item) => {
        const text = textOf(item, report)
        return text === undefined
          ? []
          : [{ name: text, condition: 'service_started', isRequired: true, path: item.path }]
      })
  return written.filter(({ name: needed, condition, isRequired, path }) => {
    if (!CONDITIONS.includes(condition))
      report(`${path}.condition`, 'choice', `must be one of ${CONDITIONS.join(', ')}`, { value: condition })
    if (needed === name) report(path, 'cycle', 'is the service itself')
    else if (known.has(needed)) return true
    else if (isRequired)
      report(path, 'reference', 'names no service of this file', { code: 'MANIFEST_MISSING_REFERENCE' })
    return false
  })
}

function sort(
  known: ReadonlyMap<string, Service>,
  dependencies: ReadonlyMap<string, readonly Dependency[]>,
  report: Report
): readonly Service[] {
  const sorted: Service[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (service: Service): void => {
    state.set(service.name, 'open')
    for (const { name, path } of dependencies.get(service.name) ?? []) {
      const next = known.get(name)
      if (state.get(name) === 'open') report(path, 'cycle', 'goes round: it depends on this service too')
      else if (next !== undefined && !state.has(name)) visit(next)
    }
    state.set(service.name, 'done')
    sorted.push(service)
  }
  for (const service of known.values()) if (!state.has(service.name)) visit(service)
  return sorted
}

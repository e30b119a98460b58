import type { Report } from '../../check/report.ts'
import { DNS_LABEL_PATTERN, ENGINE_ANNOTATION } from '../../constants.ts'
import { isRecord, joinPath } from '../../objects/json.ts'
import { convertService, type Service } from '../service/convert-service.ts'
import { type Fields, filled } from '../service/draft.ts'
import { VolumeTable } from '../service/volume-table.ts'
import { entriesOf, pairsOf, type Spot, textOf, under } from '../values/spot.ts'
import {
  graceSecondsOf,
  hostnameOf,
  labelPath,
  labelsOf,
  pidsAnnotationOf,
  restartPolicyOf
} from './agree.ts'
import { hostAliasesOf, toHostAlias } from './hosts.ts'
import { checkNetworks } from './networks.ts'
import { type Order, orderServices } from './order.ts'
import { convertContents, convertVolumes, type Made, reportUnused } from './sources.ts'

/** The format is the engine's own. */
const COMPOSE_ENGINE = 'docker'
/** Containers and init containers of a pod. Source: maxItems in pod-spec.schema.json. */
const MAX_SERVICES = 16
/** Stands for a name that is missing or wrong, so that the rest can be checked. */
const NAMELESS = 'project'

/** The Pod of a project and what it uses; none when there is nothing to make it of. Reports all that is wrong on the way. */
export function convertProject(project: Spot, report: Report): Made[] {
  const name = nameOf(under(project, 'name'), report)
  const entries = entriesOf(under(project, 'services'), report)
  if (entries.length === 0 && isRecord(under(project, 'services').value))
    report('services', 'minItems', 'must have at least one service')
  if (entries.length > MAX_SERVICES) {
    report('services', 'maxItems', `must have at most ${MAX_SERVICES} services, which become one pod`)
    return []
  }
  const { claims, made: volumeClaims } = convertVolumes(project, name, report)
  const configs = convertContents(project, 'configs', name, report)
  const secrets = convertContents(project, 'secrets', name, report)
  const volumes = new VolumeTable()
  const shared = { report, volumes, claims, configs: configs.source, secrets: secrets.source }
  const services = entries
    .filter((entry) => isService(entry, report))
    .map((entry) => convertService(entry.name, entry, shared))
  reportUnused(under(project, 'volumes'), claims.used, report)
  reportUnused(under(project, 'configs'), configs.source.used, report)
  reportUnused(under(project, 'secrets'), secrets.source.used, report)
  checkNetworks(project, services, report)
  checkPorts(services, report)
  const order = orderServices(services, report)
  const beemesh = under(project, 'x-beemesh')
  const namespace = textOf(under(beemesh, 'namespace'), report)
  const others = [...volumeClaims, ...configs.made, ...secrets.made]
  const all = services.length === 0 ? others : [makePod(name, order, { beemesh, volumes, report }), ...others]
  return all.map((one) => withNamespace(one, namespace, under(beemesh, 'namespace').path))
}

function nameOf(spot: Spot, report: Report): string {
  const name = textOf(spot, report)
  if (name === undefined)
    report(spot.path, 'required', 'is missing: add a line `name: NAME`, which names the Pod')
  else if (DNS_LABEL_PATTERN.test(name)) return name
  else
    report(spot.path, 'pattern', 'must be a DNS label: lower-case letters, digits and -, at most 63', {
      value: name
    })
  return NAMELESS
}

function isService(entry: Spot & { readonly name: string }, report: Report): boolean {
  const isName = DNS_LABEL_PATTERN.test(entry.name)
  if (!isName)
    report(
      entry.path,
      'pattern',
      'has a name that is no DNS label (lower-case letters, digits and -, at most 63), which the others could find it by'
    )
  if (!isRecord(entry.value)) report(entry.path, 'type', 'must be a mapping')
  return isName && isRecord(entry.value)
}

function checkPorts(services: readonly Service[], report: Report): void {
  const owners = new Map<string, string>()
  for (const { name, ports } of services)
    for (const { key, path } of ports) {
      const owner = owners.get(key)
      if (owner === undefined) owners.set(key, name)
      else
        report(
          path,
          'shared-port',
          `is refused: service ${owner} has container port ${key} too, and the services share one network, where only one can listen on it; let one of them listen on another port`,
          { code: 'MANIFEST_UNSUPPORTED_FIELD' }
        )
    }
}

interface PodParts {
  readonly beemesh: Spot
  readonly volumes: VolumeTable
  readonly report: Report
}

function makePod(name: string, order: Order, { beemesh, volumes, report }: PodParts): Made {
  const traces = new Map<string, string>([
    ['', 'services'],
    ['metadata.name', 'name']
  ])
  const containers = (field: string, services: readonly Service[]) => {
    for (const [index, service] of services.entries())
      for (const [inside, path] of service.traces)
        traces.set(`spec.${field}[${index}]${inside === '' ? '' : `.${inside}`}`, path)
    return services.map(({ container }) => container)
  }
  const aliases = hostAliasesOf([...order.init, ...order.main], report)
  for (const [index, { hosts }] of aliases.entries())
    for (const [item, [, path]] of hosts.entries())
      traces.set(`spec.hostAliases[${index}].hostnames[${item}]`, path)
  for (const [index, path] of volumes.paths.entries()) traces.set(`spec.volumes[${index}]`, path)
  const labels = labelsOf(order, report)
  for (const [key, { path }] of labels) traces.set(labelPath(key), path)
  const hostname = hostnameOf(order, report)
  const grace = graceSecondsOf(order, report)
  if (hostname !== undefined) traces.set('spec.hostname', hostname.path)
  if (grace !== undefined) traces.set('spec.terminationGracePeriodSeconds', grace.path)
  const spec: Fields = {
    restartPolicy: restartPolicyOf(order, report),
    ...(grace === undefined ? {} : { terminationGracePeriodSeconds: grace.value }),
    ...(hostname === undefined ? {} : { hostname: hostname.value }),
    hostAliases: aliases.map(toHostAlias),
    ...filled('initContainers', containers('initContainers', order.init)),
    containers: containers('containers', order.main),
    ...filled('volumes', volumes.volumes)
  }
  const metadata: Fields = {
    name,
    annotations: annotationsOf(order, beemesh, { traces, report }),
    ...filled('labels', Object.fromEntries([...labels].map(([key, { value }]) => [key, value])))
  }
  return { object: { apiVersion: 'v1', kind: 'Pod', metadata, spec }, traces }
}

function annotationsOf(
  order: Order,
  beemesh: Spot,
  { traces, report }: { readonly traces: Map<string, string>; readonly report: Report }
): Fields {
  const engine = under(beemesh, 'engine')
  const pids = pidsAnnotationOf(order, report)
  const annotations: Record<string, unknown> = {
    [ENGINE_ANNOTATION]: textOf(engine, report) ?? COMPOSE_ENGINE,
    ...pids?.value
  }
  traces.set(joinPath('metadata.annotations', ENGINE_ANNOTATION), engine.path)
  for (const key of Object.keys(pids?.value ?? {}))
    traces.set(joinPath('metadata.annotations', key), pids?.path ?? '')
  for (const { key, value, path } of pairsOf(under(beemesh, 'annotations'), report)) {
    if (Object.hasOwn(annotations, key))
      report(path, 'unique', 'is said in the field that it stands for; leave it out')
    else if (!key.startsWith('beemesh.io/')) report(path, 'choice', 'must begin with beemesh.io/')
    else {
      annotations[key] = value ?? ''
      traces.set(joinPath('metadata.annotations', key), path)
    }
  }
  return annotations
}

function withNamespace({ object, traces }: Made, namespace: string | undefined, path: string): Made {
  if (namespace === undefined) return { object, traces }
  const metadata = { ...(object.metadata as Fields), namespace }
  return { object: { ...object, metadata }, traces: new Map([...traces, ['metadata.namespace', path]]) }
}

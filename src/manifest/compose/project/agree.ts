import type { Report } from '../../check/report.ts'
import { PIDS_LIMIT_ANNOTATION } from '../../constants.ts'
import { joinPath, own } from '../../objects/json.ts'
import type { Service } from '../service/convert-service.ts'
import { type Fields, UNSUPPORTED } from '../service/draft.ts'
import { pidsOf } from '../service/resources.ts'
import { pairsOf, secondsOf, textOf, under } from '../values/spot.ts'
import type { Order } from './order.ts'

/** Between SIGTERM and SIGKILL where a service says nothing. Source: compose-spec, 05-services.md#stop_grace_period. */
const DEFAULT_GRACE_SECONDS = 10

const POLICIES: Readonly<Record<string, string>> = {
  no: 'Never',
  always: 'Always',
  'unless-stopped': 'Always',
  'on-failure': 'OnFailure'
}
const CONDITIONS: Readonly<Record<string, string>> = {
  none: 'Never',
  any: 'Always',
  'on-failure': 'OnFailure'
}

/** A field of the pod and the place in the Compose file it comes from. */
export interface Agreed<T> {
  readonly value: T
  readonly path: string
}

/** One restart policy for all that stay, because it is the pod's. */
export function restartPolicyOf({ init, main, waits }: Order, report: Report): string {
  for (const service of init) {
    const { value, path } = writtenPolicy(service, report) ?? {}
    if (path !== undefined && value !== 'Never')
      report(
        path,
        'refused',
        'is refused: another service waits for this one to complete, so it runs once before each start',
        UNSUPPORTED
      )
  }
  const written = main.map((service) => ({ service, policy: writtenPolicy(service, report) }))
  const stated = written.find(({ policy }) => policy !== undefined)
  const chosen = stated?.policy?.value ?? 'Never'
  for (const { service, policy } of written)
    if ((policy?.value ?? 'Never') !== chosen)
      report(
        policy?.path ?? under(service.draft.spot, 'restart').path,
        'refused',
        `is refused: it differs from ${stated?.policy?.path}, and the containers of one pod are restarted by one policy (unset is no); write the same at every service`,
        UNSUPPORTED
      )
  if (chosen === 'Never')
    for (const path of waits)
      report(
        path,
        'refused',
        'is refused: containers of a pod start together, so a service that ends because another is not healthy yet must be started again; write restart: on-failure at every service, or condition: service_started',
        UNSUPPORTED
      )
  return chosen
}

function writtenPolicy({ draft: { spot } }: Service, report: Report): Agreed<string> | undefined {
  const condition = under(spot, 'deploy', 'restart_policy', 'condition')
  const place = condition.value === undefined ? under(spot, 'restart') : condition
  const text = textOf(place, report)
  if (text === undefined) return undefined
  const known = place === condition ? CONDITIONS : POLICIES
  const value = own(known, text)
  if (value !== undefined) return { value, path: place.path }
  const isCounted = text.startsWith('on-failure:')
  report(
    place.path,
    isCounted ? 'refused' : 'choice',
    isCounted
      ? 'is refused: the node goes on restarting, with back-off; write on-failure'
      : `must be one of ${Object.keys(known).join(', ')}`,
    { value: text, ...(isCounted ? UNSUPPORTED : {}) }
  )
  return undefined
}

/** The largest of all; undefined where no service says anything. */
export function graceSecondsOf({ init, main }: Order, report: Report): Agreed<number> | undefined {
  const stated = [...init, ...main].flatMap(({ draft: { spot } }) => {
    const place = under(spot, 'stop_grace_period')
    const value = secondsOf(place, report)
    return value === undefined ? [] : [{ value, path: place.path }]
  })
  const largest = stated.reduce<Agreed<number> | undefined>(
    (most, one) => (most === undefined || one.value > most.value ? one : most),
    undefined
  )
  if (largest === undefined || stated.length === init.length + main.length) return largest
  return largest.value < DEFAULT_GRACE_SECONDS ? { ...largest, value: DEFAULT_GRACE_SECONDS } : largest
}

/** The annotation for pids_limit, which is the same for every container. */
export function pidsAnnotationOf({ init, main }: Order, report: Report): Agreed<Fields> | undefined {
  for (const { draft } of init) {
    const pids = pidsOf(draft)
    if (pids !== undefined)
      report(
        pids.path,
        'refused',
        'is refused: what runs before the others has no limit of its own',
        UNSUPPORTED
      )
  }
  const written = main.map(({ draft }) => ({ draft, pids: pidsOf(draft) }))
  const stated = written.find(({ pids }) => pids !== undefined)?.pids
  if (stated === undefined) return undefined
  for (const { draft, pids } of written)
    if (pids?.limit !== stated.limit)
      report(
        pids?.path ?? under(draft.spot, 'pids_limit').path,
        'refused',
        `is refused: it differs from ${stated.path}, and containers of one pod have one limit; write the same at every service`,
        UNSUPPORTED
      )
  return { value: { [PIDS_LIMIT_ANNOTATION]: String(stated.limit) }, path: stated.path }
}

/** The host name of the pod; undefined where no service has one. */
export function hostnameOf({ init, main }: Order, report: Report): Agreed<string> | undefined {
  let chosen: Agreed<string> | undefined
  for (const { draft } of [...init, ...main]) {
    const place = under(draft.spot, 'hostname')
    const value = textOf(place, report)
    if (value === undefined) continue
    chosen ??= { value, path: place.path }
    if (value !== chosen.value)
      report(
        place.path,
        'refused',
        `is refused: it differs from ${chosen.path}, and containers of one pod share one host name; write it as an alias`,
        UNSUPPORTED
      )
  }
  return chosen
}

/** The labels of all services with their places. */
export function labelsOf({ init, main }: Order, report: Report): Map<string, Agreed<string>> {
  const labels = new Map<string, Agreed<string>>()
  for (const { draft } of [...init, ...main])
    for (const { key, value = '', path } of pairsOf(under(draft.spot, 'labels'), report)) {
      const before = labels.get(key)
      if (before === undefined) labels.set(key, { value, path })
      else if (before.value !== value)
        report(
          path,
          'refused',
          `is refused: it differs from ${before.path}, and containers of one pod share their labels`,
          UNSUPPORTED
        )
    }
  return labels
}

/** Path of a label in metadata. */
export function labelPath(key: string): string {
  return joinPath('metadata.labels', key)
}

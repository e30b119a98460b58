import { isRecord } from '../../objects/json.ts'
import { itemsOf, type Spot, textOf, under } from '../values/spot.ts'
import { type Draft, defined, type Fields, filled, UNSUPPORTED } from './draft.ts'

/** Ports of one entry, so that a range is not written out for nothing. Source: maxItems of ports in container.schema.json. */
const MAX_RANGE = 32

/** A container port of a service, and where it is said. */
export interface TakenPort {
  readonly key: string
  readonly path: string
}

interface Written {
  readonly target: string
  readonly published: string
  readonly hostIp: string | undefined
  readonly protocol: string
}

/** ports of the container; `taken` gets each container port. */
export function convertPorts(draft: Draft, taken: TakenPort[]): Fields {
  const { spot, report, trace } = draft
  const ports: Fields[] = []
  const own = new Set<string>()
  for (const item of itemsOf(under(spot, 'ports'), report)) {
    const written = isRecord(item.value) ? longOf(item, draft) : shortOf(item, draft)
    for (const port of written === undefined ? [] : expand(written, item, draft)) {
      const key = `${port.containerPort}/${port.protocol}`
      if (own.has(key)) {
        report(item.path, 'unique', `publishes ${key} again; a container port has one host port`)
        continue
      }
      own.add(key)
      taken.push({ key, path: item.path })
      trace(`ports[${ports.length}]`, item.path)
      ports.push(port)
    }
  }
  trace('ports', under(spot, 'ports').path)
  return filled('ports', ports)
}

/** `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, where HOST and CONTAINER may be ranges. */
function shortOf(item: Spot, { report }: Draft): Written | undefined {
  const text = textOf(item, report)
  if (text === undefined) return undefined
  const match =
    /^(?:(?:(?:\[(?<bracketed>[^\]]*)\]|(?<ip>.*)):)?(?<published>[\d-]*):)?(?<target>[\d-]+)(?:\/(?<protocol>\w+))?$/.exec(
      text
    )
  if (match === null) {
    report(item.path, 'port', 'must be like 80, 8080:80, 127.0.0.1:8080:80/udp or 3000-3005', { value: text })
    return undefined
  }
  const { bracketed, ip, published = '', target = '', protocol = 'tcp' } = match.groups ?? {}
  return { target, published, hostIp: bracketed ?? ip, protocol }
}

function longOf(item: Spot, { report }: Draft): Written | undefined {
  const target = textOf(under(item, 'target'), report)
  if (target === undefined) {
    report(under(item, 'target').path, 'required', 'is missing')
    return undefined
  }
  return {
    target,
    published: textOf(under(item, 'published'), report) ?? '',
    hostIp: textOf(under(item, 'host_ip'), report),
    protocol: textOf(under(item, 'protocol'), report) ?? 'tcp'
  }
}

function expand(
  { target, published, hostIp, protocol }: Written,
  { path }: Spot,
  { report }: Draft
): (Fields & { readonly containerPort: number; readonly protocol: string })[] {
  const refuse = (message: string, value?: string) => {
    report(path, 'port', message, { ...UNSUPPORTED, ...(value === undefined ? {} : { value }) })
    return []
  }
  if (!['tcp', 'udp'].includes(protocol.toLowerCase())) return refuse('must be tcp or udp', protocol)
  const inside = rangeOf(target)
  const outside = published === '' ? undefined : rangeOf(published)
  if (inside === undefined || (published !== '' && outside === undefined))
    return refuse('must have ports from 1 to 65535, and ranges that go up')
  if (inside.count > MAX_RANGE) return refuse(`is a range of more than ${MAX_RANGE} ports`)
  if (outside !== undefined && outside.count !== inside.count)
    return refuse(
      'has ranges of different length; a node does not choose from a range, so write one host port each'
    )
  return Array.from({ length: inside.count }, (_, index) => ({
    containerPort: inside.first + index,
    protocol: protocol.toUpperCase(),
    ...defined({
      hostPort: outside === undefined || outside.first === 0 ? undefined : outside.first + index,
      hostIP: hostIp === '' ? undefined : hostIp
    })
  }))
}

function rangeOf(text: string): { readonly first: number; readonly count: number } | undefined {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  if (from === undefined) return undefined
  const [first, last] = [Number(from), Number(to)]
  // 0 alone means any
  return first <= last && last <= 65_535 && (first > 0 || last === 0)
    ? { first, count: last - first + 1 }
    : undefined
}

import type { Report } from '../../check/report.ts'
import { type Spot, textOf, under } from '../values/spot.ts'
import { type Draft, defined, type Fields, filled, UNSUPPORTED } from './draft.ts'
import { convertFiles, type FileSource } from './files.ts'
import { convertHealth } from './health.ts'
import { type Claims, convertMounts } from './mounts.ts'
import { convertPorts, type TakenPort } from './ports.ts'
import { convertProcess } from './process.ts'
import { convertResources } from './resources.ts'
import { convertSecurity } from './security.ts'
import type { VolumeTable } from './volume-table.ts'

/** What services share. */
export interface Shared {
  readonly report: Report
  readonly volumes: VolumeTable
  readonly claims: Claims
  readonly configs: FileSource
  readonly secrets: FileSource
}

/** A service as a container. */
export interface Service {
  readonly name: string
  readonly draft: Draft
  readonly container: Fields
  /** Paths inside the container, with the place in the Compose file each comes from. */
  readonly traces: ReadonlyMap<string, string>
  readonly ports: readonly TakenPort[]
}

export function convertService(name: string, spot: Spot, shared: Shared): Service {
  const { report, volumes } = shared
  const traces = new Map<string, string>([['', spot.path]])
  const draft: Draft = { name, spot, report, trace: (inside, path) => traces.set(inside, path) }
  const ports: TakenPort[] = []
  for (const [inside, key] of [
    ['image', 'image'],
    ['workingDir', 'working_dir'],
    ['imagePullPolicy', 'pull_policy']
  ] as const)
    draft.trace(inside, under(spot, key).path)
  const mounts = [
    ...convertMounts(draft, volumes, shared.claims),
    ...convertFiles(draft, 'configs', volumes, shared.configs),
    ...convertFiles(draft, 'secrets', volumes, shared.secrets)
  ]
  for (const [index, { path }] of mounts.entries()) draft.trace(`volumeMounts[${index}]`, path)
  draft.trace('volumeMounts', under(spot, 'volumes').path)
  const container = {
    name,
    ...defined({
      image: textOf(under(spot, 'image'), report),
      imagePullPolicy: pullPolicyOf(under(spot, 'pull_policy'), report),
      workingDir: textOf(under(spot, 'working_dir'), report)
    }),
    ...convertProcess(draft),
    ...convertPorts(draft, ports),
    ...convertResources(draft),
    ...convertSecurity(draft),
    ...convertHealth(draft),
    ...filled(
      'volumeMounts',
      mounts.map(({ fields }) => fields)
    )
  }
  return { name, draft, container, traces, ports }
}

/** undefined for the default, which is Kubernetes' too: an image that is missing, or whose tag is latest. */
function pullPolicyOf(spot: Spot, report: Report): string | undefined {
  const policy = textOf(spot, report)
  if (policy === undefined || policy === 'missing' || policy === 'if_not_present') return undefined
  if (policy === 'always') return 'Always'
  if (policy === 'never') return 'Never'
  report(spot.path, 'refused', 'is refused: it must be always, never, missing or if_not_present', {
    ...UNSUPPORTED,
    value: policy
  })
  return undefined
}

import { MAX_EXPANDED_BYTES } from '../constants.ts'
import { toManifestError } from '../errors.ts'
import { type Container, type Probe, podTemplateOf, workloadOf } from '../objects/kube.ts'
import type { Manifest } from '../types.ts'
import { expandReferences } from './expand.ts'

export type ProbeKind = 'startup' | 'liveness' | 'readiness'

/** What a probe does. Ports are numbers of the pod's own network. */
export type ProbeHandler =
  | { readonly type: 'exec'; readonly command: readonly string[] }
  | {
      readonly type: 'httpGet'
      readonly port: number
      /** Begins with a slash. */
      readonly path: string
      readonly scheme: 'HTTP' | 'HTTPS'
      readonly headers: readonly { readonly name: string; readonly value: string }[]
    }
  | { readonly type: 'tcpSocket'; readonly port: number }

/** One probe of one container, with every default written in. For the node: engines do not run it. */
export interface ContainerProbe {
  readonly container: string
  readonly kind: ProbeKind
  readonly handler: ProbeHandler
  /** After the start of the container; of liveness and readiness, after the startup probe has succeeded. */
  readonly initialDelayMs: number
  readonly periodMs: number
  readonly timeoutMs: number
  /** In a row, before it counts as success. */
  readonly successThreshold: number
  /** In a row, before it counts as failure. */
  readonly failureThreshold: number
  /** Between SIGTERM and SIGKILL when this probe ends the container; undefined means the pod's. */
  readonly terminationGraceMs?: number
}

/** Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes */
const DEFAULTS = { initialDelay: 0, period: 10, timeout: 1, success: 1, failure: 3 }
const FIELDS = [
  ['startup', 'startupProbe'],
  ['liveness', 'livenessProbe'],
  ['readiness', 'readinessProbe']
] as const

/**
 * The probes of a manifest, in the order of its containers. Pure; the same for every copy.
 * @throws ManifestError MANIFEST_TOO_LARGE when `$(NAME)` in a command makes it too long
 */
export function probesOf(manifest: Manifest): ContainerProbe[] {
  const { containers } = podTemplateOf(workloadOf(manifest)).spec
  return containers.flatMap((container) =>
    FIELDS.flatMap(([kind, field]) => {
      const probe = container[field]
      return probe === undefined ? [] : [toProbe(manifest, container, kind, probe)]
    })
  )
}

function toProbe(manifest: Manifest, container: Container, kind: ProbeKind, probe: Probe): ContainerProbe {
  const { terminationGracePeriodSeconds: grace } = probe
  return {
    container: container.name,
    kind,
    handler: handlerOf(manifest, container, probe),
    initialDelayMs: (probe.initialDelaySeconds ?? DEFAULTS.initialDelay) * 1000,
    periodMs: (probe.periodSeconds ?? DEFAULTS.period) * 1000,
    timeoutMs: (probe.timeoutSeconds ?? DEFAULTS.timeout) * 1000,
    successThreshold: probe.successThreshold ?? DEFAULTS.success,
    failureThreshold: probe.failureThreshold ?? DEFAULTS.failure,
    ...(grace === undefined ? {} : { terminationGraceMs: grace * 1000 })
  }
}

function handlerOf(manifest: Manifest, container: Container, probe: Probe): ProbeHandler {
  if (probe.exec !== undefined)
    return { type: 'exec', command: expandCommand(manifest, container, probe.exec.command) }
  if (probe.tcpSocket !== undefined)
    return { type: 'tcpSocket', port: portOf(container, probe.tcpSocket.port) }
  const { path = '/', port = 0, scheme = 'HTTP', httpHeaders = [] } = probe.httpGet ?? {}
  return {
    type: 'httpGet',
    port: portOf(container, port),
    path: path.startsWith('/') ? path : `/${path}`,
    scheme,
    headers: httpHeaders.map(({ name, value }) => ({ name, value }))
  }
}

function portOf({ ports = [] }: Container, port: number | string): number {
  return typeof port === 'number' ? port : (ports.find(({ name }) => name === port)?.containerPort ?? 0)
}

/** As Kubernetes: only values that are written out count, and they are not replaced in turn. */
function expandCommand(manifest: Manifest, container: Container, command: readonly string[]): string[] {
  const values = new Map(
    (container.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]))
  )
  let left = MAX_EXPANDED_BYTES
  return command.map((text) => {
    const expanded = expandReferences(text, (name) => values.get(name), left)
    left -= expanded === undefined ? 0 : Buffer.byteLength(expanded)
    if (expanded !== undefined && left >= 0) return expanded
    const { kind, name } = manifest
    const message = `gives a probe of container ${container.name} a command of more than ${MAX_EXPANDED_BYTES} bytes, once $(NAME) is filled in`
    throw toManifestError([
      { code: 'MANIFEST_TOO_LARGE', document: 1, kind, name, path: '', rule: 'expanded-size', message }
    ])
  })
}

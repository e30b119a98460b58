import { joinPath } from '../objects/json.ts'
import { type PodSpec, podTemplateOf, type Service, type ServicePort } from '../objects/kube.ts'
import type { KubeObject, ManifestPort, ManifestService } from '../types.ts'

type Draft = { -readonly [Key in keyof ManifestPort]: ManifestPort[Key] }

/** Notes what is wrong with a Service, at a path inside it. */
export type ServiceProblem = (service: Service, path: string, rule: string, message: string) => void

/** The Services among `objects` whose selector matches the workload's pods. */
export function servicesOf(workload: KubeObject, objects: readonly KubeObject[]): Service[] {
  const { labels } = podTemplateOf(workload)
  return objects
    .filter(({ kind, metadata }) => kind === 'Service' && metadata.namespace === workload.metadata.namespace)
    .map((one) => one as unknown as Service)
    .filter(({ spec }) =>
      Object.entries(spec.selector).every(
        ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value
      )
    )
}

/**
 * The ports of a validated workload with what its Services say of them: a nodePort is the host port, and a target that no
 * container declares is a port of the first one, because containers of a pod share one network.
 */
export function portsOf(
  spec: PodSpec,
  services: readonly Service[],
  problem: ServiceProblem = () => undefined
): { readonly ports: ManifestPort[]; readonly services: ManifestService[] } {
  const ports = declaredPorts(spec)
  const described = services.map((service): ManifestService => {
    const made = service.spec.ports.flatMap((port, index) => {
      const at = joinPath('spec.ports', index)
      const target = findTarget(ports, port, spec.containers[0]?.name ?? '')
      if (target === undefined) {
        problem(
          service,
          `${at}.targetPort`,
          'exists',
          'names no port of the workload that the selector matches'
        )
        return []
      }
      const nodePort = isSet(port.nodePort) ? port.nodePort : undefined
      if (nodePort !== undefined && target.hostPort !== undefined && target.hostPort !== nodePort)
        problem(
          service,
          `${at}.nodePort`,
          'conflict',
          'differs from what is said of that port elsewhere; a port has one host port'
        )
      else if (
        nodePort !== undefined &&
        ports.some((one) => one !== target && one.hostPort === nodePort && one.protocol === target.protocol)
      )
        problem(service, `${at}.nodePort`, 'unique', 'is the host port of another port of the workload')
      else if (nodePort !== undefined) target.hostPort = nodePort
      if (!ports.includes(target)) ports.push(target)
      const { containerPort, protocol } = target
      return [
        { ...(port.name === undefined ? {} : { name: port.name }), port: port.port, containerPort, protocol }
      ]
    })
    return { name: service.metadata.name, headless: service.spec.clusterIP === 'None', ports: made }
  })
  return { ports, services: described }
}

/** Because 0 means unset in Kubernetes. */
function isSet(port: number | undefined): port is number {
  return port !== undefined && port !== 0
}

function declaredPorts({ containers }: PodSpec): Draft[] {
  return containers.flatMap((container) =>
    (container.ports ?? []).map(({ containerPort, protocol = 'TCP', hostPort, hostIP, name }) => ({
      container: container.name,
      containerPort,
      protocol,
      ...(isSet(hostPort) ? { hostPort } : {}),
      ...(hostIP === undefined ? {} : { hostIp: hostIP }),
      ...(name === undefined ? {} : { name })
    }))
  )
}

/** The port of the pod that a Service's port leads to; a new one for a number that nobody declared. */
function findTarget(
  ports: readonly Draft[],
  { port, targetPort = port, protocol = 'TCP' }: ServicePort,
  container: string
): Draft | undefined {
  const found = ports.find(
    (one) => one.protocol === protocol && (one.containerPort === targetPort || one.name === targetPort)
  )
  if (found !== undefined || typeof targetPort === 'string') return found
  return { container, containerPort: targetPort, protocol }
}

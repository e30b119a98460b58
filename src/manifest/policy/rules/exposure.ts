import { secretEnvUses } from '../../check/references.ts'
import { asList, asRecord } from '../../objects/json.ts'
import type { Manifest } from '../../types.ts'
import type { PodPlaces } from '../pod-places.ts'
import type { PolicyViolation, SandboxRules } from '../types.ts'

/** What a workload shows to others or reaches: ports of the machine, Secrets in the environment, the network. */
export function checkExposure(manifest: Manifest, pod: PodPlaces, rules: SandboxRules): PolicyViolation[] {
  return [
    ...(rules.hostPorts ? [] : [...checkPorts(pod), ...checkNodePorts(manifest)]),
    ...(rules.secretsInEnvironment ? [] : secretEnvUses(manifest).map(refuseSecret)),
    ...(rules.egress === 'allow' ? [] : manifest.ports.map(refuseWayIn))
  ]
}

/** Because no engine here lets callers in and nothing out: in an internal network host ports do not answer (docs/POLICY.md). */
function refuseWayIn({ container, containerPort }: Manifest['ports'][number]): PolicyViolation {
  return {
    path: `container ${container}: port ${containerPort}`,
    rule: 'egress',
    message: 'must be left out: this node runs it without a network'
  }
}

function refuseSecret(path: string): PolicyViolation {
  return {
    path,
    rule: 'secretsInEnvironment',
    message: 'would put a Secret into the environment; mount it as files'
  }
}

function checkPorts({ containers }: PodPlaces): PolicyViolation[] {
  return containers.flatMap(({ path, value }) =>
    asList(value.ports).flatMap((raw, index) => {
      const { hostPort, hostIP } = asRecord(raw)
      const at = `${path}.ports[${index}]`
      return [
        ...(isUnset(hostPort) ? [] : [refusePort(`${at}.hostPort`)]),
        // because a manifest could open on every address what the node opens on loopback only
        ...(hostIP === undefined
          ? []
          : [
              {
                path: `${at}.hostIP`,
                rule: 'hostPorts' as const,
                message: 'must be left out: the node chooses the address'
              }
            ])
      ]
    })
  )
}

function checkNodePorts({ objects }: Manifest): PolicyViolation[] {
  return objects
    .filter(({ kind }) => kind === 'Service')
    .flatMap(({ metadata, spec }) =>
      asList(asRecord(spec).ports).flatMap((raw, index) =>
        isUnset(asRecord(raw).nodePort)
          ? []
          : [refusePort(`Service ${metadata.name}: spec.ports[${index}].nodePort`)]
      )
    )
}

function refusePort(path: string): PolicyViolation {
  return { path, rule: 'hostPorts', message: 'must be left out: the node chooses the port' }
}

/** Because 0 means unset in Kubernetes. */
function isUnset(port: unknown): boolean {
  return port === undefined || port === 0
}

import type { Manifest, PolicyInput } from '../../../src/manifest/index.ts'
import { checkPolicy, resolvePolicy } from '../../../src/manifest/index.ts'
import { STRICT_SECURITY } from '../../fixtures/workload-files.ts'
import { container, parseOne, pod } from '../fixtures/manifests.ts'

type Json = Record<string, unknown>

/** A container that the strict preset accepts. @param security in place of single fields; undefined leaves one out */
export function strictContainer(fields: Json = {}, security: Json = {}): Json {
  return container({ ...fields, securityContext: { ...STRICT_SECURITY, ...security } })
}

/** `rule path` of every violation. */
export function rulesBroken(manifest: Manifest, policy: PolicyInput, copies?: number): string[] {
  return checkPolicy(manifest, resolvePolicy(policy), { copies }).map(({ rule, path }) => `${rule} ${path}`)
}

/** The same for a Pod of one container. */
export function brokenBy(policy: PolicyInput, one: Json, podFields: Json = {}): string[] {
  return rulesBroken(parseOne(pod({ containers: [one], ...podFields })), policy)
}

/** A manifest as if the format had let this through: the policy must not rely on it. */
export function forged(change: { pod?: Json; container?: Json }): Manifest {
  const manifest = parseOne(pod({ containers: [strictContainer()] }))
  const [workload, ...others] = manifest.objects
  const spec = workload!.spec as { containers: Json[] }
  const containers = spec.containers.map((one) => merge(one, change.container ?? {}))
  return {
    ...manifest,
    objects: [{ ...workload!, spec: merge({ ...spec, containers }, change.pod ?? {}) }, ...others]
  }
}

function merge(into: Json, from: Json): Json {
  const both = Object.entries(from).map(([key, value]) => {
    const before = into[key]
    const nested = isPlain(before) && isPlain(value)
    return [key, nested ? merge(before, value) : value]
  })
  return { ...into, ...Object.fromEntries(both) }
}

function isPlain(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

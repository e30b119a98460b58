import { expect } from 'chai'
import type { KubeObject, ManifestErrorCode, Violation } from '../../../src/manifest/index.ts'
import type { Container, PodSpec } from '../../../src/manifest/objects/kube.ts'
import { parseOne, refuseAt } from '../fixtures/manifests.ts'

export type Json = Record<string, unknown>

/** A Compose file with one service, `web`, that is accepted as it is. */
export function project(web: Json = {}, top: Json = {}, others: Json = {}): Json {
  return { name: 'shop', services: { web: { image: 'localhost/web:1', ...web }, ...others }, ...top }
}

/** Another service. */
export const db = (fields: Json = {}): Json => ({ image: 'localhost/db:1', ...fields })

export interface Converted {
  readonly workload: KubeObject
  readonly spec: PodSpec
  readonly web: Container
  readonly objects: readonly KubeObject[]
}

/** What the only manifest of a Compose file holds. */
export function convert(file: Json): Converted {
  const { objects } = parseOne(file)
  const [workload] = objects
  const spec = workload!.spec as PodSpec
  const web = [...(spec.initContainers ?? []), ...spec.containers].find(({ name }) => name === 'web')
  expect(web, 'a container called web').to.not.equal(undefined)
  return { workload: workload!, spec, web: web!, objects }
}

/** Refused at this path, by this rule. */
export function expectRefusal(
  file: Json,
  path: string,
  rule: string,
  code: ManifestErrorCode = 'MANIFEST_UNSUPPORTED_FIELD'
): Violation {
  const violation = refuseAt(path, code, file)
  expect(violation.rule, violation.message).to.equal(rule)
  return violation
}

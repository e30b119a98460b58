import type { Report } from '../../check/report.ts'
import type { Spot } from '../values/spot.ts'

/** Fields of a Kubernetes container. */
export type Fields = Readonly<Record<string, unknown>>

/** A service while it is converted. */
export interface Draft {
  readonly name: string
  readonly spot: Spot
  readonly report: Report
  /** Notes that a path inside the container is said at a path of the Compose file. */
  readonly trace: (inside: string, path: string) => void
}

export const UNSUPPORTED = { code: 'MANIFEST_UNSUPPORTED_FIELD' } as const

/** Without the fields that are undefined. */
export function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** The field under this name, or none when it would be empty. */
export function filled(name: string, value: Fields | readonly unknown[]): Fields {
  const size = Array.isArray(value) ? value.length : Object.keys(value).length
  return size === 0 ? {} : { [name]: value }
}

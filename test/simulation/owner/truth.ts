import { toHex } from '../../../src/common/index.ts'
import { decode, openObject } from '../../../src/envelope/index.ts'
import { RECORD } from '../../../src/generated/fbs/index.ts'
import type { Manifest } from '../../../src/manifest/index.ts'
import { NETWORK } from '../node/keys.ts'
import { kindOf, type SimulatedKind } from './documents.ts'

/** One version of a manifest that its owner signed. */
export interface Signed {
  readonly version: number
  /** Copies: another number at least than at most only where it follows the load, or where each node has one. */
  readonly least: number
  readonly most: number
  /** What it says; undefined: that nothing may run. */
  readonly manifest: Manifest | undefined
  readonly tombstone: boolean
  readonly atMs: number
  /** Some node told its owner that it is taken. */
  acknowledged: boolean
}

/** One workload as its owner wants it. */
export interface Wanted {
  readonly id: string
  readonly name: string
  readonly kind: SimulatedKind
  readonly versions: Map<number, Signed>
  /** The last attempt did not work out everywhere. */
  isOpen: boolean
}

/** All that owners ever signed: what may run is in here, and nothing else. */
export class Truth {
  readonly manifests = new Map<string, Wanted>()

  /** A record left its owner's machine. */
  note(bytes: Uint8Array, name: string, { manifest, nowMs }: { manifest: Manifest; nowMs: number }): Signed {
    const record = decode(RECORD, openObject(bytes, { kind: 'record', networkId: NETWORK.id }).body)
    const { version, replicas, tombstone } = record
    const id = toHex(record.manifestId)
    const known = this.manifests.get(id) ?? {
      id,
      name,
      kind: kindOf(name),
      versions: new Map(),
      isOpen: false
    }
    this.manifests.set(id, known)
    const signed = known.versions.get(version) ?? {
      version,
      least: manifest.autoscale?.minReplicas ?? replicas,
      most: manifest.perNode ? Number.POSITIVE_INFINITY : (manifest.autoscale?.maxReplicas ?? replicas),
      manifest: tombstone ? undefined : manifest,
      tombstone,
      atMs: nowMs,
      acknowledged: false
    }
    known.versions.set(version, signed)
    return signed
  }

  newest(id: string, { acknowledged = false } = {}): Signed | undefined {
    const all = [...(this.manifests.get(id)?.versions.values() ?? [])]
    const counting = all.filter((one) => !acknowledged || one.acknowledged)
    return counting.reduce<Signed | undefined>(
      (best, one) => (best === undefined || one.version > best.version ? one : best),
      undefined
    )
  }
}

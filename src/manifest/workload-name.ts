import { createHash } from 'node:crypto'
import { concat, u64be, utf8 } from '../common/index.ts'
import { ManifestError } from './errors.ts'

export interface WorkloadNameInput {
  /** Name of the manifest, a DNS label. */
  readonly name: string
  /** Uint8Array(36) */
  readonly manifestId: Uint8Array
  /** u64; a number must be whole and below 2^53. */
  readonly version: bigint | number
  /** Which copy, from 0. */
  readonly ordinal: number
  /** Identity of the node that runs it, such as the bytes of its peer ID. */
  readonly node: Uint8Array
}

const TAG = utf8('beemesh.v1/workload\0')
/** 40 bits: among the 110 pods of a node, two that are alike once in 10^8 nodes. */
const DIGEST_HEX = 10
const MAX_NAME = 63

/**
 * The name of one running copy: the manifest's name, cut where it is long, and a digest of everything that tells
 * copies apart. A DNS label of at most 63 characters; the same input always gives the same name.
 * @throws ManifestError MANIFEST_ARGUMENT for an ordinal that is no whole number from 0, or a version beyond u64
 */
export function workloadName({ name, manifestId, version, ordinal, node }: WorkloadNameInput): string {
  if (!Number.isSafeInteger(ordinal) || ordinal < 0 || !isU64(version))
    throw new ManifestError('MANIFEST_ARGUMENT', 'the ordinal and the version must be whole numbers from 0')
  const digest = createHash('sha256')
    .update(concat(TAG, u64be(manifestId.byteLength), manifestId, u64be(version), u64be(ordinal), node))
    .digest('hex')
  const prefix = name.slice(0, MAX_NAME - 1 - DIGEST_HEX).replace(/-+$/, '')
  return `${prefix}-${digest.slice(0, DIGEST_HEX)}`
}

function isU64(value: bigint | number): boolean {
  return typeof value === 'bigint'
    ? value >= 0n && value < 2n ** 64n
    : Number.isSafeInteger(value) && value >= 0
}

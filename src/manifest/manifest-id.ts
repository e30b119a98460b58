import { createHash, createHmac } from 'node:crypto'
import { base32 } from 'multiformats/bases/base32'
import { concat, equalBytes, utf8 } from '../common/index.ts'
import { DNS_LABEL_PATTERN } from './constants.ts'
import { ManifestError } from './errors.ts'
import type { WorkloadKind } from './types.ts'

/** What a person calls a workload; unique for one owner in one network. */
export interface ManifestName {
  readonly namespace: string
  readonly kind: WorkloadKind
  readonly name: string
}

export interface ManifestIdInput extends ManifestName {
  /** Uint8Array(32) */
  readonly networkId: Uint8Array
  /** The owner's Ed25519 public key, Uint8Array(32). */
  readonly owner: Uint8Array
  /** From {@link manifestSalt}, Uint8Array(32). */
  readonly salt: Uint8Array
}

const SALT_TAG = utf8('beemesh.v1/manifest-salt\0')
const ID_TAG = utf8('beemesh.v1/manifest\0')
/** CIDv1, codec raw, multihash sha2-256 with 32 bytes. Source: https://github.com/multiformats/cid#cidv1 */
const CID_PREFIX = Uint8Array.of(0x01, 0x55, 0x12, 0x20)
/** Length of a manifest ID in bytes. */
export const MANIFEST_ID_BYTES = 36

/**
 * The salt of one manifest: HMAC-SHA256(owner secret, tag, namespace, kind, name). One for each manifest, so that a
 * machine that runs one cannot guess the IDs of the owner's others.
 * @param ownerSecret Uint8Array(32) known to the owner alone; only read
 * @returns Uint8Array(32), the caller's
 * @throws ManifestError MANIFEST_ARGUMENT
 */
export function manifestSalt(ownerSecret: Uint8Array, name: ManifestName): Uint8Array {
  assertLength('the owner secret', ownerSecret)
  const digest = createHmac('sha256', ownerSecret)
    .update(concat(SALT_TAG, nameBytes(name)))
    .digest()
  return new Uint8Array(digest)
}

/**
 * The stable ID of a workload over all its versions, as the bytes of a CIDv1 (raw, sha2-256).
 * @returns Uint8Array(36), the caller's
 * @throws ManifestError MANIFEST_ARGUMENT
 */
export function manifestId(input: ManifestIdInput): Uint8Array {
  const { networkId, owner, salt } = input
  assertLength('the network ID', networkId)
  assertLength('the owner key', owner)
  assertLength('the salt', salt)
  const digest = createHash('sha256')
    .update(concat(ID_TAG, networkId, owner, salt, nameBytes(input)))
    .digest()
  return concat(CID_PREFIX, digest)
}

// because names are DNS labels and kinds are ours, none holds a NUL and the parts cannot run into each other
function nameBytes({ namespace, kind, name }: ManifestName): Uint8Array {
  for (const [what, label] of [
    ['namespace', namespace],
    ['name', name]
  ] as const)
    if (!DNS_LABEL_PATTERN.test(label))
      throw new ManifestError(
        'MANIFEST_ARGUMENT',
        `the ${what} must be lower-case letters, digits and -, at most 63`
      )
  if (!/^[A-Za-z]{1,63}$/.test(kind)) throw new ManifestError('MANIFEST_ARGUMENT', 'the kind must be letters')
  return utf8(`${namespace}\0${kind}\0${name}`)
}

function assertLength(what: string, bytes: Uint8Array): void {
  if (bytes.byteLength === 32) return
  throw new ManifestError('MANIFEST_ARGUMENT', `${what} must have 32 bytes, got ${bytes.byteLength}`)
}

/** Whether these are the bytes of a manifest ID. */
function isManifestId(bytes: Uint8Array): boolean {
  return (
    bytes.byteLength === MANIFEST_ID_BYTES && equalBytes(bytes.subarray(0, CID_PREFIX.length), CID_PREFIX)
  )
}

/**
 * `bafkrei…`: the CID in base32, lower case.
 * @param id Uint8Array(36)
 * @throws ManifestError MANIFEST_ARGUMENT
 */
export function formatManifestId(id: Uint8Array): string {
  if (!isManifestId(id)) throw new ManifestError('MANIFEST_ARGUMENT', 'these bytes are no manifest ID')
  return base32.encode(id)
}

/** The bytes (Uint8Array(36), the caller's) of what {@link formatManifestId} wrote; undefined for anything else. */
export function parseManifestId(text: string): Uint8Array | undefined {
  if (!/^b[a-z2-7]{58}$/.test(text)) return undefined
  try {
    const id = base32.decode(text)
    return isManifestId(id) && base32.encode(id) === text ? id : undefined
  } catch {
    return undefined
  }
}

import { createHash, randomBytes } from 'node:crypto'
import { concat, toHex, utf8 } from '../common/index.ts'
import { IdentityError } from './errors.ts'
import { loadOrCreate } from './private-file.ts'
import { changeSecretFile, type PassphraseSource, readSecretFile, secretContent } from './secret-file.ts'

/** A mesh. Two networks never merge: the ID is in every signature, its tag in every protocol and topic. */
export interface Network {
  readonly name: string
  /** Uint8Array(32), hash of name and secret. */
  readonly id: Uint8Array
  /** true: the secret follows from the name, so anybody may join. */
  readonly open: boolean
  /** Uint8Array(32). */
  readonly secret: Uint8Array
}

/** A DNS label (RFC 1123): the name stands in files and on command lines. */
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const FILE = /^beemesh-network-key-v1 (\S+) ([0-9a-f]{64})\n?$/

/** A network anybody can join who knows its name. @throws IdentityError NETWORK_NAME_INVALID */
export function openNetwork(name: string): Network {
  return makeNetwork(name, sha256(utf8('beemesh.v1/open-net\0'), utf8(name)), true)
}

/** A network of those who hold the secret. @param secret Uint8Array(32) @throws IdentityError NETWORK_NAME_INVALID, NETWORK_SECRET_INVALID */
export function privateNetwork(name: string, secret: Uint8Array): Network {
  if (secret.byteLength !== 32)
    throw new IdentityError(
      'NETWORK_SECRET_INVALID',
      `a network secret has 32 bytes, got ${secret.byteLength}`
    )
  return makeNetwork(name, Uint8Array.from(secret), false)
}

/** First 8 bytes of the network ID in hexadecimal, 16 characters: part of every protocol ID and topic. */
export function networkTag(network: Network | Uint8Array): string {
  const id = network instanceof Uint8Array ? network : network.id
  return toHex(id.subarray(0, 8))
}

/** Key for libp2p's private network layer, Uint8Array(32). Only private networks use one: in an open one it is public. */
export function networkPsk(network: Network): Uint8Array {
  return sha256(utf8('beemesh.v1/psk\0'), network.secret)
}

/**
 * Reads a network key file (mode 0600), in clear or under a passphrase.
 * @param passphrase asked only when the file is encrypted
 * @throws IdentityError IDENTITY_FILE_MISSING, IDENTITY_FILE_UNSAFE, IDENTITY_FILE_INVALID, PASSPHRASE_NEEDED, PASSPHRASE_WRONG
 */
export async function loadNetworkKey(path: string, passphrase?: PassphraseSource): Promise<Network> {
  const match = FILE.exec((await readSecretFile(path, passphrase)).text)
  if (match === null)
    throw new IdentityError('IDENTITY_FILE_INVALID', `${path} is not a network key file`, {
      details: { path },
      hint: 'it has one line: beemesh-network-key-v1 NAME HEX64'
    })
  return privateNetwork(match[1]!, Buffer.from(match[2]!, 'hex'))
}

/**
 * Reads the file, or makes a network with a random secret when it is missing.
 * @param passphrase of a node: a new file is put under it, and one in clear as well @default the file stays in clear
 * @throws IdentityError as {@link loadNetworkKey}; NETWORK_NAME_INVALID also when the file is of a network with another name
 */
export async function loadOrCreateNetworkKey(
  path: string,
  name: string,
  passphrase?: string
): Promise<{ network: Network; created: boolean }> {
  assertName(name)
  const { value, created } = await keepNetworkKey(path, passphrase, () =>
    privateNetwork(name, randomBytes(32))
  )
  if (value.name !== name)
    throw new IdentityError(
      'NETWORK_NAME_INVALID',
      `${path} is the key of network "${value.name}", expected "${name}"`,
      { details: { path, expected: name, got: value.name } }
    )
  if (passphrase !== undefined)
    await changeSecretFile(path, { to: 'encrypted', passphrase: async () => passphrase })
  return { network: value, created }
}

/** The network whose key the file holds; where there is none, this one, whose key is written, under the passphrase if there is one. */
export async function keepNetworkKey(
  path: string,
  passphrase: string | undefined,
  make: () => Network
): Promise<{ value: Network; created: boolean }> {
  const source = async () => passphrase
  const load = (from: string) => loadNetworkKey(from, source)
  return loadOrCreate(path, load, async () => {
    const value = make()
    return { value, content: await secretContent(formatNetworkKey(value), passphrase) }
  })
}

/** The line of a network key file. Secret: whoever has it can join. */
export function formatNetworkKey(network: Network): string {
  return `beemesh-network-key-v1 ${network.name} ${toHex(network.secret)}\n`
}

function makeNetwork(name: string, secret: Uint8Array, open: boolean): Network {
  assertName(name)
  const nameBytes = utf8(name)
  const id = sha256(utf8('beemesh.v1/net\0'), Uint8Array.of(nameBytes.byteLength), nameBytes, secret)
  const network = { name, id, open, secret }
  // because networks end up in logs and in JSON, the secret is not enumerable
  return Object.defineProperty(network, 'secret', { enumerable: false })
}

function assertName(name: string): void {
  if (!NAME.test(name))
    throw new IdentityError(
      'NETWORK_NAME_INVALID',
      `${JSON.stringify(name.slice(0, 80))} is not a network name: expected 1 to 63 of a-z, 0-9 and -, not - at an end`
    )
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    createHash('sha256')
      .update(concat(...parts))
      .digest()
  )
}

import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../config/index.ts'
import type { OwnersChange } from '../../guests/index.ts'
import {
  changeSecretFile,
  givenPassphrase,
  IdentityError,
  loadOrCreateNetworkKey,
  loadOrCreateSigningKey,
  loadSigningKey,
  type Network,
  openNetwork,
  type SigningKey,
  writePrivateFile
} from '../../identity/index.ts'
import { SealingKeyring } from '../../sealing/index.ts'
import { addOwners, openMembership, readOwners, removeOwners, signMembership } from '../../trust/index.ts'

/** Name of a private network whose key file is made here. */
const DEFAULT_NETWORK_NAME = 'beemesh'

const NODE_KEY_FILE = 'node.key'
/** Files of the folder that an invite writes, too: one entry a line. */
export const OWN_OWNER_FILE = 'own-owner'
export const MEMBERSHIPS_FILE = 'memberships'
export const BOOTSTRAP_FILE = 'bootstrap'

/** Everything of a node that lasts, apart from its database. */
export interface DataDir {
  readonly path: string
  readonly key: SigningKey
  readonly sealingKeys: SealingKeyring
  readonly network: Network
  /** Peer IDs; the set changes with {@link changeOwners}. */
  readonly owners: ReadonlySet<string>
  /** Writes down whom the node obeys from now on. */
  readonly changeOwners: (change: OwnersChange) => Promise<void>
  /** Those of them who are this machine's own: the identity of the first start, and that of this one. Others are guests. */
  readonly own: ReadonlySet<string>
  /** Membership grants for this node in this network. */
  readonly memberships: readonly Uint8Array[]
  /** Full addresses of nodes to join through, beside those of the configuration. */
  readonly bootstrap: readonly string[]
  /** What was made just now, for telling the person who starts the node. */
  readonly created: readonly ('node' | 'identity' | 'network')[]
}

/** Opens a node's folder, making what is missing. With the owner's identity at hand it also signs the node's membership. */
export async function openDataDir(config: Config): Promise<DataDir> {
  const path = config.dataDir
  await openPrivateFolder(path)
  const passphrase = await givenPassphrase({ file: config.passphraseFile })
  // first, because a node that was begun without its owner would never be told of it
  const isNew = !(await isThere(join(path, NODE_KEY_FILE)))
  const { identity, created: identityCreated } = await openIdentity(config, { isNew, passphrase })
  const key = await openNodeKey(path, passphrase)
  const sealingKeys = await SealingKeyring.open(join(path, 'sealing.key'), { passphrase })
  const { network, created: networkCreated } = await openConfiguredNetwork(config)
  const ownersPath = join(path, 'owners')
  const seeds = isNew && identity !== undefined ? [identity.peerId] : []
  const owners = await addOwners(ownersPath, [...seeds, ...config.owners]).then(() => readOwners(ownersPath))
  const own = await ownOwners(path, { seeds, identity, owners })
  const memberships = await keepMemberships(path, { key, network, identity, owners })
  const created = [
    ...(isNew ? (['node'] as const) : []),
    ...(identityCreated ? (['identity'] as const) : []),
    ...(networkCreated ? (['network'] as const) : [])
  ]
  const invited = await readFile(join(path, BOOTSTRAP_FILE), 'utf8').catch(() => '')
  const bootstrap = invited.split('\n').filter((line) => line !== '')
  const changeOwners = async ({ add, remove }: OwnersChange) => {
    await addOwners(ownersPath, add)
    const now = await removeOwners(ownersPath, remove)
    for (const peerId of [...owners]) if (!now.has(peerId)) owners.delete(peerId)
    for (const peerId of now) owners.add(peerId)
  }
  return { path, key, sealingKeys, network, owners, changeOwners, own, memberships, bootstrap, created }
}

/**
 * A folder for secrets. One that others may read is refused when there is something in it, because they may have read it; an empty one,
 * such as a fresh volume, is made private.
 * @throws IdentityError DATA_DIR_UNSAFE
 */
export async function openPrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const { mode } = await stat(path)
  if ((mode & 0o077) === 0) return
  if ((await readdir(path)).length > 0)
    throw new IdentityError(
      'DATA_DIR_UNSAFE',
      `${path} holds this node's keys, but its mode is ${(mode & 0o777).toString(8)}: other users may read it`,
      { details: { path, mode: (mode & 0o777).toString(8) }, hint: `chmod 700 ${path}` }
    )
  await chmod(path, 0o700)
}

/** The node's own key, under the passphrase from the first start on that has one. */
export async function openNodeKey(path: string, passphrase: string | undefined): Promise<SigningKey> {
  const file = join(path, NODE_KEY_FILE)
  const source = async () => passphrase
  const { key } = await loadOrCreateSigningKey(file, { passphrase: source, encryptNew: passphrase })
  if (passphrase !== undefined) await changeSecretFile(file, { to: 'encrypted', passphrase: source })
  return key
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}

/**
 * Who seeded the node is written down in a file of its own, because a node runs without its owner's key later, and the first line of
 * the owners file is whatever a person left there.
 */
async function ownOwners(
  path: string,
  {
    seeds,
    identity,
    owners
  }: { seeds: readonly string[]; identity?: SigningKey; owners: ReadonlySet<string> }
): Promise<Set<string>> {
  const file = join(path, OWN_OWNER_FILE)
  if (seeds.length > 0) await writePrivateFile(file, `${seeds.join('\n')}\n`, { replace: true })
  const seeded = await readFile(file, 'utf8').catch(() => '')
  const named = [...seeded.split('\n').map((line) => line.trim()), identity?.peerId ?? '']
  return new Set(named.filter((peerId) => owners.has(peerId)))
}

async function openConfiguredNetwork(config: Config): Promise<{ network: Network; created: boolean }> {
  if (config.network !== undefined) return { network: openNetwork(config.network), created: false }
  return loadOrCreateNetworkKey(config.networkKey!, DEFAULT_NETWORK_NAME)
}

/**
 * The owner's key: made on the very first start, later only used when it is there. Never made for a bootstrap node that is told
 * its owners, because a key that nobody needs should not lie on a machine that everybody can reach.
 */
async function openIdentity(
  config: Config,
  { isNew, passphrase }: { readonly isNew: boolean; readonly passphrase?: string }
): Promise<{ identity?: SigningKey; created: boolean }> {
  const source = async () => passphrase
  if (isNew && !(config.role === 'bootstrap' && config.owners.length > 0)) {
    const { key, created } = await loadOrCreateSigningKey(config.identity, { passphrase: source })
    return { identity: key, created }
  }
  try {
    return { identity: await loadSigningKey(config.identity, source), created: false }
  } catch {
    return { created: false } // because a node that was seeded once runs without its owner's key, or with one that is under its owner's passphrase
  }
}

async function keepMemberships(
  path: string,
  {
    key,
    network,
    identity,
    owners
  }: { key: SigningKey; network: Network; identity?: SigningKey; owners: ReadonlySet<string> }
): Promise<Uint8Array[]> {
  const file = join(path, MEMBERSHIPS_FILE)
  const context = { subject: key.publicKey, networkId: network.id, nowMs: Date.now() }
  const lines = await readFile(file, 'utf8').catch(() => '')
  const all = lines.split('\n').filter((line) => line !== '')
  const valid = all
    .map((line) => new Uint8Array(Buffer.from(line, 'base64')))
    .flatMap((grant) => {
      try {
        return [{ grant, ...openMembership(grant, context) }]
      } catch {
        return [] // because grants of other networks stay in the file and do not count in this one
      }
    })
  const grants = valid.map(({ grant }) => grant)
  if (identity === undefined || !owners.has(identity.peerId)) return grants
  if (valid.some(({ issuer }) => issuer === identity.peerId)) return grants
  const fresh = signMembership(identity, context)
  await writePrivateFile(file, `${[...all, Buffer.from(fresh).toString('base64')].join('\n')}\n`, {
    replace: true
  })
  return [...grants, fresh]
}

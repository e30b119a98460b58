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
import {
  addOwners,
  addSuccessor,
  heirOf,
  readOwners,
  readSuccessors,
  removeOwners,
  type Successors
} from '../../trust/index.ts'
import { Memberships } from './memberships.ts'

/** Name of a private network whose key file is made here. */
const DEFAULT_NETWORK_NAME = 'beemesh'

const NODE_KEY_FILE = 'node.key'
/** Files of the folder that an invite writes, too: one entry a line. */
export const OWN_OWNER_FILE = 'own-owner'
export const BOOTSTRAP_FILE = 'bootstrap'

/** Everything of a node that lasts, apart from its database. */
export interface DataDir {
  readonly path: string
  readonly key: SigningKey
  readonly sealingKeys: SealingKeyring
  readonly network: Network
  /** Peer IDs; the set changes with {@link changeOwners}. */
  readonly owners: ReadonlySet<string>
  /** Keys of owners that others took the place of; the map changes with {@link changeOwners}. */
  readonly successors: Successors
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
  const { network, created: networkCreated } = await openConfiguredNetwork(config, passphrase)
  const ownersPath = join(path, 'owners')
  const successors = await readSuccessors(join(path, 'successors'))
  const seeds = isNew && identity !== undefined ? [identity.peerId] : []
  // because a flag or a unit file may name a key that another took the place of, and would bring it back
  const named = config.owners.map((owner) => heirOf(successors, owner))
  const owners = await addOwners(ownersPath, [...seeds, ...named]).then(() => readOwners(ownersPath))
  const own = await ownOwners(path, { seeds, identity, owners })
  const memberships = new Memberships(path, { key, network })
  await memberships.open()
  if (identity !== undefined && owners.has(identity.peerId)) await memberships.sign(identity)
  const created = [
    ...(isNew ? (['node'] as const) : []),
    ...(identityCreated ? (['identity'] as const) : []),
    ...(networkCreated ? (['network'] as const) : [])
  ]
  const invited = await readFile(join(path, BOOTSTRAP_FILE), 'utf8').catch(() => '')
  const bootstrap = invited.split('\n').filter((line) => line !== '')
  const changeOwners = async ({ add, remove, succession, membership }: OwnersChange) => {
    if (succession !== undefined) {
      await addSuccessor(join(path, 'successors'), successors, succession)
      if (own.has(succession.from)) {
        own.add(succession.to)
        await writePrivateFile(join(path, OWN_OWNER_FILE), `${[...own].join('\n')}\n`, { replace: true })
      }
    }
    await addOwners(ownersPath, add)
    const now = await removeOwners(ownersPath, remove)
    for (const peerId of [...owners]) if (!now.has(peerId)) owners.delete(peerId)
    for (const peerId of now) owners.add(peerId)
    if (membership !== undefined) await memberships.add(membership)
    for (const peerId of remove) if (successors.has(peerId)) await memberships.drop(peerId)
  }
  return {
    path,
    key,
    sealingKeys,
    network,
    owners,
    successors,
    changeOwners,
    own,
    get memberships() {
      return memberships.list()
    },
    bootstrap,
    created
  }
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

async function openConfiguredNetwork(
  config: Config,
  passphrase: string | undefined
): Promise<{ network: Network; created: boolean }> {
  if (config.network !== undefined) return { network: openNetwork(config.network), created: false }
  return loadOrCreateNetworkKey(config.networkKey!, DEFAULT_NETWORK_NAME, passphrase)
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

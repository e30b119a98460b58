import { link, readFile, rename, rm } from 'node:fs/promises'
import {
  generateSigningKey,
  IdentityError,
  loadSigningKey,
  type PassphraseSource,
  readSecretFile,
  type SigningKey,
  secretContent,
  signingKeyText,
  writePrivateFile
} from '../../identity/index.ts'

/** A node that did not answer while the key was rotated. */
export interface WaitingNode {
  readonly node: string
  readonly peerId: string
}

/** A rotation on its way: both keys, and where they are. */
export interface Rotation {
  readonly old: SigningKey
  readonly next: SigningKey
  /** The old key's file, once {@link exchangeKeys} is done. */
  readonly backup: string
  /** The identity file holds the new key already. */
  readonly exchanged: boolean
  /** Who is still to be told of it is written down; false: of another rotation that is not finished. */
  readonly isNoted: boolean
  /** Of the time before. */
  readonly waiting: readonly WaitingNode[]
}

interface State {
  readonly backup: string
  readonly waiting: readonly WaitingNode[]
}

/**
 * Begins a rotation, or finds the one that is not finished. The new key is on disk, beside the identity, before anybody is told of it.
 * @param options.again begin one although nodes are still to be told of the last
 * @param options.from the file of a key that was replaced: no new one is made, nodes are told of the present one
 * @throws IdentityError as loadSigningKey
 */
export async function openRotation(
  identity: string,
  {
    passphrase,
    again = false,
    from
  }: { readonly passphrase: PassphraseSource; readonly again?: boolean; readonly from?: string }
): Promise<Rotation> {
  const present = await loadSigningKey(identity, passphrase)
  const state = await readState(identity)
  if (from !== undefined) {
    const old = await loadSigningKey(from, passphrase)
    const isOther = state !== undefined && state.backup !== from
    const waiting = isOther ? [] : (state?.waiting ?? [])
    return { old, next: present, backup: from, exchanged: true, waiting, isNoted: !isOther }
  }
  if (state !== undefined && !again) {
    const old = await loadSigningKey(state.backup, passphrase)
    // the file was noted before the keys were exchanged: then the present one is still the old
    if (old.peerId !== present.peerId) return { old, next: present, exchanged: true, isNoted: true, ...state }
  }
  const next = await nextKey(identity, passphrase)
  const backup = `${identity}.replaced-${present.peerId.slice(-8)}`
  return { old: present, next, backup, exchanged: false, waiting: [], isNoted: true }
}

/** Puts the new key in the old one's place; that is kept as the backup. May be repeated. */
export async function exchangeKeys(
  identity: string,
  { backup, exchanged }: Rotation,
  waiting: readonly WaitingNode[]
): Promise<void> {
  if (exchanged) return
  await link(identity, backup).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST')
      throw new IdentityError('IDENTITY_FILE_UNWRITABLE', `${backup} could not be made`, { cause: error })
  })
  await noteWaiting(identity, backup, waiting)
  await rename(nextFile(identity), identity)
}

/** Writes down who is still to be told; nobody: the rotation is finished. */
export async function noteWaiting(
  identity: string,
  backup: string,
  waiting: readonly WaitingNode[]
): Promise<void> {
  if (waiting.length === 0) return rm(stateFile(identity), { force: true })
  await writePrivateFile(stateFile(identity), `${JSON.stringify({ backup, waiting })}\n`, { replace: true })
}

/** Forgets a new key that nobody took. */
export async function abandonRotation(identity: string): Promise<void> {
  await rm(nextFile(identity), { force: true })
}

async function nextKey(identity: string, passphrase: PassphraseSource): Promise<SigningKey> {
  const file = nextFile(identity)
  try {
    return await loadSigningKey(file, passphrase)
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'IDENTITY_FILE_MISSING') throw error
  }
  const key = generateSigningKey()
  const { encrypted } = await readSecretFile(identity, passphrase)
  const content = await secretContent(signingKeyText(key), encrypted ? await passphrase(identity) : undefined)
  await writePrivateFile(file, content)
  return key
}

async function readState(identity: string): Promise<State | undefined> {
  const text = await readFile(stateFile(identity), 'utf8').catch(() => '')
  try {
    const { backup, waiting } = JSON.parse(text) as State
    return typeof backup === 'string' && Array.isArray(waiting) ? { backup, waiting } : undefined
  } catch {
    return undefined // because a file that is missing or broken tells of nobody
  }
}

function nextFile(identity: string): string {
  return `${identity}.next`
}

function stateFile(identity: string): string {
  return `${identity}.rotation`
}

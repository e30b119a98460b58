import { readFile } from 'node:fs/promises'
import { isBeemeshError } from '../common/index.ts'
import { peerIdFromPublicKey, publicKeyFromPeerId, writePrivateFile } from '../identity/index.ts'
import { TrustError } from './errors.ts'

const HEADER =
  '# Peer IDs whose signed requests this node obeys, one a line. Read when the node starts; "beemesh trust" changes it while it runs.\n'

/** Reads an owners file; a missing one is an empty set. @throws TrustError OWNERS_FILE_INVALID with the line number */
export async function readOwners(path: string): Promise<Set<string>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const owners = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.replace(/#.*/, '').trim()
    if (entry !== '') owners.add(normalise(entry, `${path}:${index + 1}`))
  }
  return owners
}

/** Adds owners to the file, keeping what a person wrote in it. Returns the full set. */
export async function addOwners(path: string, added: readonly string[]): Promise<Set<string>> {
  const owners = await readOwners(path)
  const fresh = [...new Set(added.map((peerId) => normalise(peerId, '--owner')))].filter(
    (id) => !owners.has(id)
  )
  if (fresh.length === 0) return owners
  const before = await readFile(path, 'utf8').catch(() => HEADER)
  await writePrivateFile(path, `${before.replace(/\n?$/, '\n')}${fresh.join('\n')}\n`, { replace: true })
  return new Set([...owners, ...fresh])
}

/** Takes owners out of the file, keeping what a person wrote beside them. Returns the set that is left. */
export async function removeOwners(path: string, removed: readonly string[]): Promise<Set<string>> {
  const gone = new Set(removed.map((peerId) => normalise(peerId, 'owner')))
  const text = await readFile(path, 'utf8').catch(() => HEADER)
  const kept = text.split('\n').filter((line) => {
    const entry = line.replace(/#.*/, '').trim()
    return entry === '' || !gone.has(normalise(entry, path))
  })
  await writePrivateFile(path, kept.join('\n'), { replace: true })
  return readOwners(path)
}

function normalise(peerId: string, where: string): string {
  try {
    return peerIdFromPublicKey(publicKeyFromPeerId(peerId))
  } catch (cause) {
    throw new TrustError('OWNERS_FILE_INVALID', `${where}: "${peerId.slice(0, 80)}" is not a peer ID`, {
      cause,
      hint: isBeemeshError(cause) ? cause.hint : undefined
    })
  }
}

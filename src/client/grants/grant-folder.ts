import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isBeemeshError } from '../../common/index.ts'
import { writePrivateFile } from '../../identity/index.ts'
import { type GrantChain, openChain } from '../../trust/index.ts'
import { formatGrant, parseGrant } from './grant-text.ts'

/** Files read of a folder. Chosen. */
const MAX_FILES = 256

/** The folder beside an identity in which its grants are kept, one a file. */
export function grantFolder(identity: string): string {
  return `${identity}.grants`
}

/** Those of an identity in one network; what cannot be read, or is of another network, is left out. */
export async function readGrants(
  folder: string,
  { subject, networkId }: { readonly subject: string; readonly networkId: Uint8Array }
): Promise<GrantChain[]> {
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.grant'))
  const chains: GrantChain[] = []
  for (const file of files.sort().slice(0, MAX_FILES))
    try {
      const { subjectKey: _key, ...chain } = openChain(
        parseGrant(await readFile(join(folder, file), 'utf8')),
        {
          networkId
        }
      )
      if (chain.subject === subject) chains.push(chain)
    } catch (error) {
      if (!isBeemeshError(error)) throw error
    }
  return chains
}

/** @returns the file's path */
export async function saveGrant(folder: string, chain: GrantChain): Promise<string> {
  const path = join(folder, `${chain.links.at(-1)!.id.slice(0, 16)}.grant`)
  await writePrivateFile(path, `${formatGrant(chain.bytes)}\n`, { replace: true })
  return path
}

export async function removeGrant(folder: string, chain: GrantChain): Promise<void> {
  await rm(join(folder, `${chain.links.at(-1)!.id.slice(0, 16)}.grant`), { force: true })
}

import { readFile } from 'node:fs/promises'
import { writePrivateFile } from '../identity/index.ts'

/** Who took whose place, peer IDs: an owner's key of before, and the one that came after it. */
export type Successors = ReadonlyMap<string, string>

/** Who has the place of an owner now: the last of those that took it, himself where nobody did. */
export function heirOf(successors: Successors | undefined, owner: string): string {
  let heir = owner
  for (let next = successors?.get(heir); next !== undefined; next = successors?.get(heir)) heir = next
  return heir
}

/** Reads the file, one "OLD NEW" a line; a missing one is empty. */
export async function readSuccessors(path: string): Promise<Map<string, string>> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const successors = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [from, to] = line.split(' ')
    if (from && to) link(successors, { from, to })
  }
  return successors
}

/** Writes down that one takes the place of another. Changes the map when it is on disk. */
export async function addSuccessor(
  path: string,
  successors: Map<string, string>,
  succession: { readonly from: string; readonly to: string }
): Promise<void> {
  const after = new Map(successors)
  link(after, succession)
  const lines = [...after].map(([from, to]) => `${from} ${to}\n`)
  await writePrivateFile(path, lines.join(''), { replace: true })
  link(successors, succession)
}

/** Whoever takes a place has it, so he has no heir any more: no circle can come of it. */
function link(
  successors: Map<string, string>,
  { from, to }: { readonly from: string; readonly to: string }
): void {
  successors.delete(to)
  if (from !== to) successors.set(from, to)
}

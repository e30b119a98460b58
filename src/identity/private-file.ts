import { randomBytes } from 'node:crypto'
import { type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { IdentityError } from './errors.ts'

/** Permission bits of group and others; none of them may be set on a file that holds a secret. */
const OTHERS_MASK = 0o077
/** Largest secret file read. Chosen: ours have under 200 bytes. */
const MAX_FILE_BYTES = 65_536

/**
 * The text of a file that holds a secret.
 * @throws IdentityError IDENTITY_FILE_MISSING, IDENTITY_FILE_UNSAFE when group or others may read or write it or it is
 * not a regular file, IDENTITY_FILE_INVALID when it is too large or cannot be read
 */
export async function readPrivateFile(path: string): Promise<string> {
  const handle = await openForRead(path)
  try {
    // because the check is on the open file, nobody can swap it in between
    const { mode, size } = await handle.stat()
    if ((mode & 0o170000) !== 0o100000)
      throw new IdentityError('IDENTITY_FILE_UNSAFE', `${path} is not a regular file`, { details: { path } })
    if ((mode & OTHERS_MASK) !== 0)
      throw new IdentityError(
        'IDENTITY_FILE_UNSAFE',
        `${path} holds a secret, but its mode is ${(mode & 0o777).toString(8)}: other users may read or change it`,
        { details: { path, mode: (mode & 0o777).toString(8) }, hint: `chmod 600 ${path}` }
      )
    if (size > MAX_FILE_BYTES)
      throw new IdentityError(
        'IDENTITY_FILE_INVALID',
        `${path} has ${size} bytes, expected at most ${MAX_FILE_BYTES}`
      )
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/**
 * Creates a file with mode 0600 that is complete or absent, whatever happens meanwhile. Parents are made with 0700.
 * @param options.replace true: take the place of an existing file in one step. @default false
 * @throws IdentityError IDENTITY_FILE_EXISTS without `replace`, IDENTITY_FILE_UNWRITABLE
 */
export async function writePrivateFile(
  path: string,
  content: string,
  options: { readonly replace?: boolean } = {}
): Promise<void> {
  // because rename would silently replace a key that another process has just made, a new file is linked instead
  await writeThenMove(path, content, 0o600, options.replace === true ? rename : link)
}

/**
 * Replaces a file in one step: readers see the old content or the new, also after a power cut.
 * @param mode permission bits of the file. @throws IdentityError IDENTITY_FILE_UNWRITABLE
 */
export async function writeFileAtomic(path: string, content: string, mode: number): Promise<void> {
  await writeThenMove(path, content, mode, rename)
}

async function writeThenMove(
  path: string,
  content: string,
  mode: number,
  move: (from: string, to: string) => Promise<void>
): Promise<void> {
  const folder = dirname(path)
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await move(temporary, path)
    await syncFolder(folder)
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST')
      throw new IdentityError('IDENTITY_FILE_EXISTS', `${path} exists already`, { cause, details: { path } })
    throw new IdentityError('IDENTITY_FILE_UNWRITABLE', `${path} could not be written: ${codeOf(cause)}`, {
      cause,
      details: { path },
      hint: 'choose a data directory that this user may write to'
    })
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}

/** A value and the text that stands for it. */
export interface FreshFile<T> {
  readonly content: string
  readonly value: T
}

/**
 * Loads with `load`, or makes with `make` when the file is missing. Two processes that start at once get one result.
 * @param make text of the new file and the value it stands for
 */
export async function loadOrCreate<T>(
  path: string,
  load: (path: string) => Promise<T>,
  make: () => FreshFile<T> | Promise<FreshFile<T>>
): Promise<{ value: T; created: boolean }> {
  try {
    return { value: await load(path), created: false }
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'IDENTITY_FILE_MISSING') throw error
  }
  const { content, value } = await make()
  try {
    await writePrivateFile(path, content)
    return { value, created: true }
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'IDENTITY_FILE_EXISTS') throw error
    return { value: await load(path), created: false }
  }
}

async function openForRead(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'ENOENT')
      throw new IdentityError('IDENTITY_FILE_MISSING', `${path} does not exist`, { cause, details: { path } })
    throw new IdentityError('IDENTITY_FILE_INVALID', `${path} cannot be read: ${code}`, {
      cause,
      details: { path }
    })
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}

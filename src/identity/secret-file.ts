import { decryptText, encryptText, isEncryptedText } from './encrypted-text.ts'
import { IdentityError } from './errors.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** Longest passphrase, bytes. Chosen. */
const MAX_PASSPHRASE_BYTES = 1_024

/** Says the passphrase when it is needed; undefined: there is none. @param path of the file that is to be opened */
export type PassphraseSource = (path: string) => Promise<string | undefined>

/** The text of a secret file (mode 0600), and whether it is encrypted on disk. */
export interface SecretText {
  readonly text: string
  readonly encrypted: boolean
}

/**
 * Reads a file that may be encrypted.
 * @param passphrase asked only when it is
 * @throws IdentityError as readPrivateFile; PASSPHRASE_NEEDED, PASSPHRASE_WRONG
 */
export async function readSecretFile(path: string, passphrase?: PassphraseSource): Promise<SecretText> {
  const text = await readPrivateFile(path)
  if (!isEncryptedText(text)) return { text, encrypted: false }
  const said = await passphrase?.(path)
  if (said === undefined)
    throw new IdentityError('PASSPHRASE_NEEDED', `${path} is encrypted, and no passphrase was given`, {
      details: { path },
      hint: 'Name a file that holds it with --passphrase-file or BEEMESH_PASSPHRASE_FILE, or set BEEMESH_PASSPHRASE.'
    })
  return { text: await decryptText(text, said, path), encrypted: true }
}

/** What the file is to hold: the text, or, with a passphrase, the text under it. */
export async function secretContent(text: string, passphrase: string | undefined): Promise<string> {
  return passphrase === undefined ? text : encryptText(text, passphrase)
}

/**
 * Puts a secret file under a passphrase, or back into the clear, in one step.
 * @returns false when it was so already
 * @throws IdentityError as {@link readSecretFile}
 */
export async function changeSecretFile(
  path: string,
  { to, passphrase }: { readonly to: 'encrypted' | 'clear'; readonly passphrase: PassphraseSource }
): Promise<boolean> {
  const before = isEncryptedText(await readPrivateFile(path))
  if (before === (to === 'encrypted')) return false
  const { text } = await readSecretFile(path, passphrase)
  const said = to === 'encrypted' ? await passphrase(path) : undefined
  if (to === 'encrypted' && said === undefined)
    throw new IdentityError('PASSPHRASE_NEEDED', `no passphrase was given for ${path}`, { details: { path } })
  await writePrivateFile(path, await secretContent(text, said), { replace: true })
  return true
}

/**
 * The passphrase of a file, else the one of the environment; undefined: neither is there.
 * @param options.file holds it in its first line, mode 0600
 * @throws IdentityError as readPrivateFile; PASSPHRASE_INVALID
 */
export async function givenPassphrase({
  file,
  env = process.env
}: {
  readonly file?: string
  readonly env?: NodeJS.ProcessEnv
}): Promise<string | undefined> {
  const path = file || env.BEEMESH_PASSPHRASE_FILE
  if (path) return checkedPassphrase((await readPrivateFile(path)).split(/\r?\n/)[0]!, path)
  const said = env.BEEMESH_PASSPHRASE
  return said ? checkedPassphrase(said, 'BEEMESH_PASSPHRASE') : undefined
}

/** @throws IdentityError PASSPHRASE_INVALID when it is empty or too long */
export function checkedPassphrase(passphrase: string, where: string): string {
  const bytes = Buffer.byteLength(passphrase)
  if (bytes > 0 && bytes <= MAX_PASSPHRASE_BYTES) return passphrase
  throw new IdentityError(
    'PASSPHRASE_INVALID',
    `the passphrase of ${where} has ${bytes} bytes; expected 1 to ${MAX_PASSPHRASE_BYTES}, in one line`
  )
}

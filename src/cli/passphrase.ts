import { checkedPassphrase, givenPassphrase, type PassphraseSource } from '../identity/index.ts'
import { CliError } from './errors.ts'

/** Where a passphrase is typed, and where it is asked for. */
export interface Terminal {
  readonly input: Pick<
    NodeJS.ReadStream,
    'isTTY' | 'setRawMode' | 'resume' | 'pause' | 'on' | 'off' | 'unshift'
  >
  readonly output: Pick<NodeJS.WriteStream, 'write'>
}

const [CTRL_C, CTRL_D, BACKSPACE, DELETE, ENTER, NEWLINE] = [3, 4, 8, 127, 13, 10]

/**
 * The passphrase of a person's key: of a file, else of the environment, else typed where somebody sits at a terminal. Never an argument,
 * because those can be read by every user of the machine.
 */
export function passphraseOf(
  { passphraseFile }: { readonly passphraseFile?: string },
  terminal: Terminal = { input: process.stdin, output: process.stderr }
): PassphraseSource {
  return async (path) => {
    const given = await givenPassphrase({ file: passphraseFile })
    if (given !== undefined || !terminal.input.isTTY) return given
    return checkedPassphrase(await askHidden(`passphrase of ${path}: `, terminal), path)
  }
}

/** The same for a file that is to be encrypted: typed twice. */
export function newPassphraseOf(
  options: { readonly passphraseFile?: string },
  terminal: Terminal = { input: process.stdin, output: process.stderr }
): PassphraseSource {
  return async (path) => {
    const given = await givenPassphrase({ file: options.passphraseFile })
    if (given !== undefined || !terminal.input.isTTY) return given
    const first = checkedPassphrase(await askHidden(`new passphrase of ${path}: `, terminal), path)
    if ((await askHidden('the same again: ', terminal)) !== first)
      throw new CliError('USAGE', 'the two passphrases differ; nothing was changed')
    return first
  }
}

/** Asks once, for files that are under the same one. */
export function rememberedPassphrase(source: PassphraseSource): PassphraseSource {
  let said: Promise<string | undefined> | undefined
  return (path) => {
    said ??= source(path)
    return said
  }
}

/** One line, not shown. @throws CliError INTERRUPTED on Ctrl-C and Ctrl-D */
export function askHidden(prompt: string, { input, output }: Terminal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const typed: number[] = []
  const onData = (chunk: Buffer) => {
    for (const [at, byte] of chunk.entries()) {
      if (byte === CTRL_C || byte === CTRL_D)
        return reject(new CliError('INTERRUPTED', 'no passphrase was typed'))
      if (byte === ENTER || byte === NEWLINE) {
        if (at + 1 < chunk.byteLength) input.unshift(chunk.subarray(at + 1))
        return resolve(Buffer.from(typed).toString('utf8'))
      }
      if (byte === BACKSPACE || byte === DELETE) removeLast(typed)
      else typed.push(byte)
    }
  }
  output.write(prompt)
  input.setRawMode(true)
  input.on('data', onData)
  input.resume()
  return promise.finally(() => {
    input.off('data', onData)
    input.pause()
    input.setRawMode(false)
    output.write('\n')
    typed.fill(0)
  })
}

/** A letter may be several bytes of UTF-8; those after the first begin with 10. */
function removeLast(typed: number[]): void {
  while ((typed.at(-1) ?? 0) >> 6 === 2) typed.pop()
  typed.pop()
}

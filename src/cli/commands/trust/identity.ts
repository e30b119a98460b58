import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { defaultIdentity, NETWORK_KEY_FILE } from '../../../config/index.ts'
import {
  changeSecretFile,
  IdentityError,
  isEncryptedText,
  loadOrCreateSigningKey,
  readPrivateFile,
  readSecretFile,
  toLibp2pPrivateKeyBytes
} from '../../../identity/index.ts'
import { withOutput } from '../../client-options.ts'
import { Output, type OutputFormat } from '../../output.ts'
import { newPassphraseOf, passphraseOf, rememberedPassphrase } from '../../passphrase.ts'
import { addRotate } from './rotate.ts'

interface IdentityOptions {
  readonly identity: string
  readonly passphraseFile?: string
  readonly output: OutputFormat
}

/** `beemesh identity show|export|encrypt|decrypt|rotate` */
export function addIdentity(program: Command): void {
  const identity = program.command('identity').description('your key, which owns what you run')
  withIdentity(identity.command('show'), 'your key, made on first use')
    .description('your peer ID: what others put into --owner, or give a grant to')
    .action(show)
  withIdentity(identity.command('export'))
    .description('your private key, to be kept somewhere safe; whoever has it is you')
    .action(exportKey)
  withIdentity(identity.command('encrypt'))
    .description(
      'put your key, and the network key beside it, under a passphrase, which commands ask for from then on'
    )
    .action((options: IdentityOptions) => change('encrypted', options))
  withIdentity(identity.command('decrypt'))
    .description(
      'take the passphrase away from both; also of a key of a stopped node, with --identity DATA-DIR/node.key'
    )
    .action((options: IdentityOptions) => change('clear', options))
  addRotate(identity)
}

function withIdentity(command: Command, about = 'your key'): Command {
  return withOutput(command)
    .option('--identity <file>', about, defaultIdentity())
    .option(
      '--passphrase-file <file>',
      'holds the passphrase (else BEEMESH_PASSPHRASE, else it is asked for)'
    )
}

async function show(options: IdentityOptions): Promise<void> {
  const { identity, output } = options
  const { key, created } = await loadOrCreateSigningKey(identity, { passphrase: passphraseOf(options) })
  const { peerId } = key
  const out = new Output(output)
  if (created) out.progress(`made a new key in ${identity}; back it up`)
  out.result({ peerId, file: identity }, () => peerId)
}

async function exportKey(options: IdentityOptions): Promise<void> {
  const { identity, output } = options
  const { key } = await loadOrCreateSigningKey(identity, { passphrase: passphraseOf(options) })
  const out = new Output(output)
  out.progress(
    'This is secret. To use it elsewhere, write it into a file with mode 600 and name that with --identity.'
  )
  const text = Buffer.from(toLibp2pPrivateKeyBytes(key)).toString('base64')
  out.result({ peerId: key.peerId, privateKey: text }, () => text)
}

/**
 * The key, and the key of the private network that lies beside it. Both are under one passphrase: whatever is encrypted already must open
 * before anything is changed.
 */
async function change(to: 'encrypted' | 'clear', options: IdentityOptions): Promise<void> {
  const { identity: file, output } = options
  const beside = join(dirname(file), NETWORK_KEY_FILE)
  const before = await readPrivateFile(file).then(isEncryptedText)
  const besideText = beside === file ? undefined : await readIfThere(beside)
  const anyEncrypted = before || (besideText !== undefined && isEncryptedText(besideText))
  const source = to === 'encrypted' && !anyEncrypted ? newPassphraseOf(options) : passphraseOf(options)
  const passphrase = rememberedPassphrase(source)
  const files = [file, ...(besideText === undefined ? [] : [beside])]
  for (const one of files) await readSecretFile(one, passphrase)
  const changed: boolean[] = []
  for (const one of files) changed.push(await changeSecretFile(one, { to, passphrase }))
  const networkKey = besideText === undefined ? undefined : { file: beside, changed: changed[1]! }
  new Output(output).result({ file, encrypted: to === 'encrypted', changed: changed[0]!, networkKey }, () =>
    files.map((one, at) => describe(one, to, changed[at]!)).join('\n')
  )
}

function describe(file: string, to: 'encrypted' | 'clear', changed: boolean): string {
  return changed ? `${file} is ${to === 'encrypted' ? 'encrypted' : 'in clear'} now` : `${file} is so already`
}

/** undefined: the machine is in no private network, or its key lies elsewhere. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readPrivateFile(path)
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'IDENTITY_FILE_MISSING') return undefined
    throw error
  }
}

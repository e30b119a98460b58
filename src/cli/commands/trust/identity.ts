import type { Command } from 'commander'
import { defaultIdentity } from '../../../config/index.ts'
import { changeSecretFile, loadOrCreateSigningKey, toLibp2pPrivateKeyBytes } from '../../../identity/index.ts'
import { withOutput } from '../../client-options.ts'
import { Output, type OutputFormat } from '../../output.ts'
import { newPassphraseOf, passphraseOf } from '../../passphrase.ts'
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
    .description('put the file of your key under a passphrase, which commands ask for from then on')
    .action((options: IdentityOptions) => change('encrypted', options))
  withIdentity(identity.command('decrypt'))
    .description(
      'take the passphrase away; also of a key of a stopped node, with --identity DATA-DIR/node.key'
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

async function change(to: 'encrypted' | 'clear', options: IdentityOptions): Promise<void> {
  const { identity: file, output } = options
  const passphrase = to === 'encrypted' ? newPassphraseOf(options) : passphraseOf(options)
  const changed = await changeSecretFile(file, { to, passphrase })
  new Output(output).result({ file, encrypted: to === 'encrypted', changed }, () =>
    changed ? `${file} is ${to === 'encrypted' ? 'encrypted' : 'in clear'} now` : `${file} is so already`
  )
}

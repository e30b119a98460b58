import type { Command } from 'commander'
import { defaultIdentity } from '../../../config/index.ts'
import { loadOrCreateSigningKey, toLibp2pPrivateKeyBytes } from '../../../identity/index.ts'
import { withOutput } from '../../client-options.ts'
import { Output, type OutputFormat } from '../../output.ts'

interface IdentityOptions {
  readonly identity: string
  readonly output: OutputFormat
}

/** `beemesh identity show|export` */
export function addIdentity(program: Command): void {
  const identity = program.command('identity').description('your key, which owns what you run')
  withOutput(identity.command('show'))
    .description('your peer ID: what others put into --owner, or give a grant to')
    .option('--identity <file>', 'your key, made on first use', defaultIdentity())
    .action(show)
  withOutput(identity.command('export'))
    .description('your private key, to be kept somewhere safe; whoever has it is you')
    .option('--identity <file>', 'your key', defaultIdentity())
    .action(exportKey)
}

async function show({ identity, output }: IdentityOptions): Promise<void> {
  const { key, created } = await loadOrCreateSigningKey(identity)
  const { peerId } = key
  const out = new Output(output)
  if (created) out.progress(`made a new key in ${identity}; back it up`)
  out.result({ peerId, file: identity }, () => peerId)
}

async function exportKey({ identity, output }: IdentityOptions): Promise<void> {
  const { key } = await loadOrCreateSigningKey(identity)
  const out = new Output(output)
  out.progress(
    'This is secret. To use it elsewhere, write it into a file with mode 600 and name that with --identity.'
  )
  const text = Buffer.from(toLibp2pPrivateKeyBytes(key)).toString('base64')
  out.result({ peerId: key.peerId, privateKey: text }, () => text)
}

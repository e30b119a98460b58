import type { Command } from 'commander'
import type { HeldView, InspectionView } from '../../../client/index.ts'
import { type ClientOptions, withClient, withClientOptions } from '../../client-options.ts'

/** `beemesh inspect REF --as NODE` */
export function addInspectAs(program: Command): void {
  withClientOptions(program.command('inspect'))
    .description(
      'what one node can read of a manifest, as it tells: the record, the ciphertext, or all of it'
    )
    .argument('<ref>', 'manifest ID, kind/name, or name')
    .requiredOption('--as <node>', 'name or peer ID of the node, a member or not')
    .action(async (ref: string, options: ClientOptions & { readonly as: string }) => {
      await withClient(options, async ({ client, output, signal }) => {
        const seen = await client.inspect(ref, options.as, { signal })
        output.result(seen, () => human(ref, seen).join('\n'))
      })
    })
}

function human(ref: string, { node, entry, held, finds, unknown }: InspectionView): string[] {
  const blind = (about: 'held' | 'finds') => unknown.find((one) => one.about === about)
  const refused = blind('held')
  const lines = held.flatMap((one) => heldLines(one))
  if (refused !== undefined)
    lines.push(`what ${node} holds of it is not known: it does not tell you (${refused.message})`)
  else if (held.length === 0) lines.push(`${node} holds nothing of ${ref}`)
  lines.push(
    ...finds.map((one) => `it finds, as anybody who knows the ID: ${one.node} runs ${one.copies.join(', ')}`)
  )
  if (blind('finds') !== undefined && refused === undefined)
    lines.push(`what it finds of it in the network is not known (${blind('finds')!.message})`)
  if (entry)
    lines.push(
      `${node} passes on what you send through it: it sees the record and the ciphertext then, and keeps only what it is to keep; what it saw is not known`
    )
  return lines
}

function heldLines({
  role,
  record,
  ciphertextBytes,
  sealedToEpoch,
  document,
  clear,
  copies,
  shares,
  manifestId
}: HeldView): string[] {
  const opens = {
    host: `everything: it opened the document just now (${document?.bytes} bytes, sha256 ${document?.sha256.slice(0, 16)}…), Secrets included`,
    standby: `everything: it keeps the content key to stand in for others, and opened the document just now (${document?.bytes} bytes)`,
    keeper: 'not the document: it has the ciphertext and no key that opens it',
    holder: `not the document: it has ${shares} ${shares === 1 ? 'share' : 'shares'} of the key, which ${shares === 1 ? 'is' : 'are'} nothing by ${shares === 1 ? 'itself' : 'themselves'}`,
    record: 'not the document: it has the record alone'
  }[role]
  return [
    `${role.padEnd(11)} ${manifestId}`,
    `reads       ${opens}`,
    ...(clear === undefined
      ? []
      : [`on disk     ${clear.kind}/${clear.name} in ${clear.namespace}, ${copies} copies, in clear`]),
    ...(ciphertextBytes === 0 ? [] : [`ciphertext  ${ciphertextBytes} bytes`]),
    ...(sealedToEpoch === undefined ? [] : [`key         sealed to its key ${sealedToEpoch}`]),
    ...(record === undefined
      ? ['record      none']
      : Object.entries(record)
          .filter(([, value]) => value !== undefined)
          .map(([field, value]) => `record      ${field}: ${value}`)),
    ''
  ]
}

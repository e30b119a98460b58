import { readFileSync } from 'node:fs'
import { WireError } from '../../../src/wire/index.ts'

/** Section 13 of the protocol: first column of its table. */
const WIRE_CODES = new Set(
  readFileSync(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8')
    .split('\n## ')
    .find((section) => section.startsWith('13. '))!
    .match(/(?<=^\| `)[A-Z_]+(?=` \|)/gm)
)

/** An answer that says INTERNAL, or a code that docs/PROTOCOL.md does not know, is a crash of the node's. */
export function throwRefusal(code: string, message: string): never {
  if (code === 'INTERNAL' || !WIRE_CODES.has(code)) throw new Error(`the node answered ${code}: ${message}`)
  throw new WireError(code as 'BUSY', message)
}

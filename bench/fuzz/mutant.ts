import { seededRandom } from '../../test/envelope/fixtures.ts'
import { BYTE_MUTATIONS, FLATBUFFER_MUTATIONS } from './mutate-bytes.ts'
import { TEXT_MUTATIONS } from './mutate-text.ts'
import { mutateTree } from './mutate-tree.ts'
import type { Random, Target } from './types.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The mutant of a number: always the same one for the same seed and target. */
export function mutantOf({ name, form, seeds, maxBytes }: Target, seed: number, index: number): Uint8Array {
  const random = seededRandom(hash(`${seed} ${name} ${index}`))
  const one = () => seeds[random(seeds.length)]!
  let bytes: Uint8Array = one().slice()
  // because a text with many changes seldom gets past its parser
  for (let count = 1 + random(form === 'text' || form === 'json' ? 2 : 5); count > 0; count--) {
    if (form === 'json') bytes = changeTree(bytes, random, one())
    else if (form === 'text' && random(8) !== 0) bytes = changeText(bytes, random, one())
    else {
      const known = form === 'flatbuffer' && random(2) === 0 ? FLATBUFFER_MUTATIONS : BYTE_MUTATIONS
      bytes = known[random(known.length)]!(bytes, random, one())
    }
  }
  // because a tree that is cut off is none any more
  return form === 'json' && bytes.byteLength > maxBytes ? one().slice() : bytes.slice(0, maxBytes)
}

function changeText(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const mutation = TEXT_MUTATIONS[random(TEXT_MUTATIONS.length)]!
  return encoder.encode(mutation(decoder.decode(bytes), random, decoder.decode(other)))
}

function changeTree(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const changed = encoder.encode(mutateTree(decoder.decode(bytes), random, decoder.decode(other)))
  return changed.byteLength > 1024 * 1024 ? bytes : changed
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}

import type { Random } from './types.ts'

/** Larger numbers are wrong as offset, length and size, each in its own way. */
const WORDS = [0, 1, 2, 3, 4, 5, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000]
const LARGE_WORDS = [0x7fffffff, 0x80000000, 0x80000004, 0xfffffffc, 0xffffffff, 0x1fffff, 0x200000]

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array

/** One change to any bytes. `other` is another seed of the same target. */
export const BYTE_MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  setWord,
  truncate,
  extend,
  copyBlock,
  swapBlocks,
  deleteBlock,
  repeatBlock,
  splice
]

/** One change that knows where offsets and lengths of a FlatBuffer are likely to be. */
export const FLATBUFFER_MUTATIONS: readonly Mutation[] = [
  retargetOffset,
  retargetOffset,
  shareOffset,
  setLength,
  setVtableEntry,
  setTableOffset,
  setIdentifier
]

function flipBit(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.byteLength > 0) bytes[place(bytes, random)]! ^= 1 << random(8)
  return bytes
}

function setByte(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.byteLength > 0) bytes[place(bytes, random)] = [0, 1, 0x7f, 0x80, 0xff, random(256)][random(6)]!
  return bytes
}

function setWord(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.byteLength < 8) return bytes
  const at = Math.min(place(bytes, random), bytes.byteLength - 8)
  const view = viewOf(bytes)
  const value = word(bytes, random)
  if (random(4) === 0) view.setBigUint64(at, BigInt(value) << BigInt(random(32)), random(2) === 0)
  else view.setUint32(random(2) === 0 ? at & ~3 : at, value, random(4) !== 0)
  return bytes
}

function truncate(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.slice(0, random(4) === 0 ? random(bytes.byteLength + 1) : bytes.byteLength - random(9))
}

function extend(bytes: Uint8Array, random: Random): Uint8Array {
  const more = new Uint8Array(1 + random(random(8) === 0 ? 4096 : 16)).fill(random(3) === 0 ? 0 : random(256))
  return joined(bytes, more)
}

function copyBlock(bytes: Uint8Array, random: Random): Uint8Array {
  const from = place(bytes, random)
  return bytes.copyWithin(place(bytes, random), from, from + 1 + random(64))
}

function swapBlocks(bytes: Uint8Array, random: Random): Uint8Array {
  const size = 1 + random(32)
  const a = place(bytes, random)
  const b = place(bytes, random)
  const first = bytes.slice(a, a + size)
  const second = bytes.slice(b, b + size)
  bytes.set(second.subarray(0, bytes.byteLength - a), a)
  bytes.set(first.subarray(0, bytes.byteLength - b), b)
  return bytes
}

function deleteBlock(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random)
  return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random(16)))
}

function repeatBlock(bytes: Uint8Array, random: Random): Uint8Array {
  const at = place(bytes, random)
  const block = bytes.subarray(at, at + 1 + random(64))
  const times = random(16) === 0 ? 200 : 1 + random(4)
  return joined(bytes.subarray(0, at), ...Array.from({ length: times }, () => block), bytes.subarray(at))
}

function splice(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const at = random(bytes.byteLength + 1)
  const from = random(2) === 0 ? Math.min(at, other.byteLength) : random(other.byteLength + 1)
  return joined(bytes.subarray(0, at), other.subarray(from))
}

/** An offset that leads somewhere else: before, onto itself, past the end, or into another table. */
function retargetOffset(bytes: Uint8Array, random: Random): Uint8Array {
  const found = wordsWhere(bytes, (value, at) => value >= 4 && at + value <= bytes.byteLength - 4)
  if (found.length === 0) return bytes
  const at = found[random(found.length)]!
  const old = viewOf(bytes).getUint32(at, true)
  const choices = [old + 4, old - 4, old + 1, bytes.byteLength - at, bytes.byteLength - at - 4, -at, -4]
  const value = random(3) === 0 ? word(bytes, random) : choices[random(choices.length)]!
  viewOf(bytes).setUint32(at, value >>> 0, true)
  return bytes
}

/** Two offsets that lead to the same place, so that work is done twice for bytes that came once. */
function shareOffset(bytes: Uint8Array, random: Random): Uint8Array {
  const found = wordsWhere(bytes, (value, at) => value >= 4 && at + value <= bytes.byteLength - 4)
  if (found.length < 2) return bytes
  const from = found[random(found.length)]!
  const goal = from + viewOf(bytes).getUint32(from, true)
  for (let count = 1 + random(8); count > 0; count--) {
    const at = found[random(found.length)]!
    if (at < goal) viewOf(bytes).setUint32(at, goal - at, true)
  }
  return bytes
}

/** The length of a vector or string. */
function setLength(bytes: Uint8Array, random: Random): Uint8Array {
  const found = wordsWhere(bytes, (value, at) => value > 0 && at + 4 + value <= bytes.byteLength)
  if (found.length === 0) return bytes
  const at = found[random(found.length)]!
  const old = viewOf(bytes).getUint32(at, true)
  const rest = bytes.byteLength - at - 4
  const choices = [old + 1, old - 1, old * 2, rest, rest + 1, rest + 64, rest >> 2, (rest >> 2) + 1]
  const value = random(4) === 0 ? word(bytes, random) : choices[random(choices.length)]!
  viewOf(bytes).setUint32(at, value >>> 0, true)
  return bytes
}

/** Entries and sizes in vtables are small even numbers in 16 bits. */
function setVtableEntry(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.byteLength < 16) return bytes
  const at = Math.min(place(bytes, random), bytes.byteLength - 2) & ~1
  const choices = [0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 0x7ffe, 0xfffe, 0xffff, random(64) * 2]
  viewOf(bytes).setUint16(at, choices[random(choices.length)]!, true)
  return bytes
}

/** The root, or where a table says its vtable is: the only signed offset there is. */
function setTableOffset(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.byteLength < 12) return bytes
  const view = viewOf(bytes)
  const root = view.getUint32(0, true)
  const at = random(2) === 0 || root > bytes.byteLength - 4 ? 0 : root
  const choices = [0, 2, 4, 8, -4, -8, root, -root, bytes.byteLength, bytes.byteLength - 4, -bytes.byteLength]
  view.setInt32(at, choices[random(choices.length)]! | 0, true)
  return bytes
}

function setIdentifier(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  if (bytes.byteLength >= 8) bytes.set(other.subarray(4, 8), 4)
  return random(8) === 0 ? bytes : flipBit(bytes, random)
}

/** Half of the changes go to the first bytes, because offsets and lengths are what matters. */
function place(bytes: Uint8Array, random: Random): number {
  return random(Math.max(1, random(2) === 0 ? Math.min(200, bytes.byteLength) : bytes.byteLength))
}

function word(bytes: Uint8Array, random: Random): number {
  const near = [bytes.byteLength, bytes.byteLength - 4, bytes.byteLength + 64]
  const from = [WORDS, LARGE_WORDS, near][random(3)]!
  return from[random(from.length)]! >>> 0
}

function wordsWhere(bytes: Uint8Array, keep: (value: number, at: number) => boolean): number[] {
  const view = viewOf(bytes)
  const found: number[] = []
  // because a message of 64 KiB has 16,000 words and the outer ones are those that matter, look at no more than these
  for (let at = 0; at + 4 <= Math.min(bytes.byteLength, 8192); at += 4)
    if (keep(view.getUint32(at, true), at)) found.push(at)
  return found
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** Stands around every mutant. No seed and no mutation makes it, so wherever it is seen, somebody read outside of the message. */
const SENTINEL = 'zQ#OUTSIDE#Qz'
const MARGIN = 512
const PATTERN = Buffer.from(SENTINEL)

/** A copy of the bytes in the middle of a larger buffer, as one that came from a pool would be. */
export function surround(bytes: Uint8Array): Uint8Array {
  const pool = Buffer.alloc(bytes.byteLength + 2 * MARGIN, SENTINEL)
  const message = new Uint8Array(pool.buffer, pool.byteOffset + MARGIN, bytes.byteLength)
  message.set(bytes)
  return message
}

/** Where a value shows bytes that are not the message's: a path in it, or undefined when nowhere. */
export function outsideOf(message: Uint8Array, value: unknown): string | undefined {
  const seen = new Set<object>()
  const first = message.byteOffset
  const last = first + message.byteLength
  const visit = (item: unknown, path: string): string | undefined => {
    if (typeof item === 'string') return item.includes(SENTINEL) ? `${path}: text from outside` : undefined
    if (typeof item !== 'object' || item === null || seen.has(item)) return undefined
    seen.add(item)
    if (ArrayBuffer.isView(item)) {
      const { buffer, byteOffset, byteLength } = item
      if (buffer === message.buffer && (byteOffset < first || byteOffset + byteLength > last))
        return `${path}: a view beyond the message`
      const bytes = Buffer.from(buffer, byteOffset, byteLength)
      return byteLength >= PATTERN.byteLength && bytes.includes(PATTERN)
        ? `${path}: bytes from outside`
        : undefined
    }
    if (item instanceof Error) {
      const found = visit(item.message, `${path}.message`) ?? visit(item.cause, `${path}.cause`)
      if (found !== undefined) return found
    }
    for (const [key, child] of item instanceof Map ? item : Object.entries(item)) {
      const found = visit(key, path) ?? visit(child, `${path}.${String(key).slice(0, 40)}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  return visit(value, 'result')
}

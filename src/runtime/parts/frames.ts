/** Header of a frame: stream number, three zeros, length of what follows (big-endian). Docker Engine API, "Stream format". */
const HEADER_BYTES = 8
const STDERR = 2

export interface Frame {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Buffer
}

/**
 * What a container wrote, out of the one stream in which Docker and Podman send stdout and stderr. Holds one chunk and one unfinished
 * header; a frame larger than a chunk comes in pieces unless `whole` asks for one piece (log frames are at most 16 KiB).
 */
export async function* readFrames(
  source: AsyncIterable<Buffer>,
  { whole = false }: { readonly whole?: boolean } = {}
): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0)
  let stream: Frame['stream'] = 'stdout'
  let left = 0
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      if (left === 0) {
        if (rest.length < HEADER_BYTES) break
        stream = rest[0] === STDERR ? 'stderr' : 'stdout'
        left = rest.readUInt32BE(4)
        rest = rest.subarray(HEADER_BYTES)
        continue
      }
      if (rest.length === 0 || (whole && rest.length < left)) break
      const bytes = rest.subarray(0, left)
      rest = rest.subarray(bytes.length)
      left -= bytes.length
      yield { stream, bytes }
    }
  }
}

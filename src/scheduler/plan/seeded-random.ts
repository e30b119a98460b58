/**
 * Random numbers as Math.random gives them, the same for the same seed: whoever has the number of a request and its bids can repeat the plan.
 * The generator is sfc32. @param seed Uint8Array(16)
 */
export function seededRandom(seed: Uint8Array): () => number {
  const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength)
  let [a, b, c, counter] = [0, 4, 8, 12].map((at) => view.getUint32(at)) as [number, number, number, number]
  const next = (): number => {
    const result = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + result) | 0
    return (result >>> 0) / 2 ** 32
  }
  for (let round = 0; round < 12; round++) next() // because the first numbers still look like the seed
  return next
}

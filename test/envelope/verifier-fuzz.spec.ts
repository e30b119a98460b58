import { expect } from 'chai'
import { decode, EnvelopeError, type Root } from '../../src/envelope/index.ts'
import {
  APPLY_REQUEST,
  encodeNodeStatement,
  NODE_STATEMENT,
  RECORD,
  STATUS_REPLY
} from '../../src/generated/fbs/index.ts'
import { apply, record, seededRandom } from './fixtures.ts'
import { NODE_FIELDS, status } from './samples.ts'

describe('FlatBuffers verifier under fire', () => {
  it('survives 20 000 mutants: no other error, none slow, nothing from outside', () => {
    const random = seededRandom(20_261_120)
    const seeds: ReadonlyArray<readonly [Root<unknown>, Uint8Array]> = [
      [STATUS_REPLY, status()],
      [NODE_STATEMENT, encodeNodeStatement(NODE_FIELDS)],
      [APPLY_REQUEST, apply()],
      [RECORD, record()]
    ]
    const outside = 'OUTSIDE-OF-THE-MESSAGE'
    let passed = 0
    let slowestMs = 0
    for (let i = 0; i < 20_000; i++) {
      const [root, good] = seeds[i % seeds.length]!
      const pool = Buffer.concat([Buffer.from(outside), good, Buffer.from(outside)])
      const bytes = pool.subarray(outside.length, outside.length + good.byteLength)
      mutate(bytes, random)
      const started = performance.now()
      try {
        const value = decode(root, bytes)
        passed++
        expect(
          JSON.stringify(value, (_, item) =>
            item instanceof Uint8Array ? Buffer.from(item).toString('latin1') : item
          )
        ).not.to.contain(outside)
      } catch (error) {
        if (!(error instanceof EnvelopeError)) throw error
        expect(error.code).to.equal('MESSAGE_MALFORMED')
      }
      // a slow input is slow each time; a busy machine is not, so the quickest of four counts
      let tookMs = performance.now() - started
      for (let again = 0; tookMs > 50 && again < 3; again++)
        tookMs = Math.min(
          tookMs,
          timed(() => decode(root, bytes))
        )
      slowestMs = Math.max(slowestMs, tookMs)
    }
    expect(passed).to.be.within(100, 19_900)
    expect(slowestMs).to.be.below(50)
  })
})

function timed(act: () => unknown): number {
  const started = performance.now()
  try {
    act()
  } catch {
    // what it throws was looked at before
  }
  return performance.now() - started
}

/** One to four changes: a bit, a byte, an interesting 32 bit word, or a piece copied elsewhere. */
function mutate(bytes: Uint8Array, random: (below: number) => number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const words = [
    0,
    1,
    4,
    0xff,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0xfffffffc,
    bytes.byteLength,
    bytes.byteLength + 64
  ]
  // because offsets and lengths are what matters, half of the changes go to the first bytes
  const place = () => random(random(2) === 0 ? Math.min(200, bytes.byteLength) : bytes.byteLength)
  for (let n = 1 + random(4); n > 0; n--) {
    const at = place()
    switch (random(4)) {
      case 0:
        bytes[at]! ^= 1 << random(8)
        break
      case 1:
        bytes[at] = random(256)
        break
      case 2:
        if (at + 4 <= bytes.byteLength) view.setUint32(at - (at % 4), words[random(words.length)]!, true)
        break
      default:
        bytes.copyWithin(at, place(), place())
    }
  }
}

import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { expect } from 'chai'
import fc from 'fast-check'
import { type FrameChannel, socketChannel } from '../../src/wire/index.ts'

const MAX_BYTES = 1_000

/** A socket's other end under the test's control: chunks come exactly as pushed. */
function fakeSocket(): { socket: Socket; written: Buffer[]; push(chunk: Uint8Array | null): void } {
  const written: Buffer[] = []
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk)
      done()
    }
  })
  return { socket: duplex as unknown as Socket, written, push: (chunk) => void duplex.push(chunk) }
}

/** The bytes that a channel writes for frames. */
async function framed(frames: readonly Uint8Array[]): Promise<Buffer> {
  const { socket, written } = fakeSocket()
  const channel = socketChannel(socket, MAX_BYTES)
  for (const frame of frames) await channel.write(frame)
  return Buffer.concat(written)
}

async function readAll(channel: FrameChannel): Promise<Buffer[]> {
  const frames: Buffer[] = []
  for (let frame = await channel.read(); frame !== undefined; frame = await channel.read())
    frames.push(Buffer.from(frame))
  return frames
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    (error: Error) => ('code' in error && typeof error.code === 'string' ? error.code : error.name)
  )
}

describe('wire: frames over a socket', () => {
  it('come out as they went in, wherever the chunks are cut', async () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 })
    const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(frames, cuts, async (sent, sizes) => {
        const bytes = await framed(sent)
        const { socket, push } = fakeSocket()
        const received = readAll(socketChannel(socket, MAX_BYTES))
        let at = 0
        for (const size of sizes) {
          if (at >= bytes.byteLength) break
          push(bytes.subarray(at, at + size))
          at += size
        }
        if (at < bytes.byteLength) push(bytes.subarray(at))
        push(null)
        expect((await received).map((frame) => frame.toString('hex'))).to.deep.equal(
          sent.map((frame) => Buffer.from(frame).toString('hex'))
        )
      }),
      { seed: 2026, numRuns: 100 }
    )
  })

  it('are refused when they are longer than allowed, before their bytes are there', async () => {
    const { socket, push } = fakeSocket()
    push(Buffer.from([0xe9, 0x07])) // 1001
    expect(await codeOf(socketChannel(socket, MAX_BYTES).read())).to.equal('FRAME_TOO_LARGE')
  })

  it('are refused when the length never ends', async () => {
    const { socket, push } = fakeSocket()
    push(Buffer.alloc(5, 0x80))
    expect(await codeOf(socketChannel(socket, MAX_BYTES).read())).to.equal('FRAME_TOO_LARGE')
  })

  it('end with CONNECTION_LOST in the middle of a frame, with undefined between two', async () => {
    const cut = fakeSocket()
    cut.push(Buffer.from([5, 1, 2]))
    cut.push(null)
    expect(await codeOf(socketChannel(cut.socket, MAX_BYTES).read())).to.equal('CONNECTION_LOST')
    const whole = fakeSocket()
    whole.push(Buffer.from([1, 9]))
    whole.push(null)
    expect(await readAll(socketChannel(whole.socket, MAX_BYTES))).to.deep.equal([Buffer.from([9])])
  })

  it('are not lost when a read was given up before they came', async () => {
    const { socket, push } = fakeSocket()
    const channel = socketChannel(socket, MAX_BYTES)
    expect(await codeOf(channel.read({ signal: AbortSignal.timeout(5) }))).to.equal('TimeoutError')
    push(Buffer.from([2, 7, 8]))
    expect(await channel.read()).to.deep.equal(Uint8Array.of(7, 8))
  })

  describe('on a real socket', () => {
    let folder: string
    let server: Server
    let ends: [Socket, Socket]
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'bms-'))
      server = createServer()
      server.listen(join(folder, 's'))
      await once(server, 'listening')
      const mine = connect(join(folder, 's'))
      const [theirs] = (await once(server, 'connection')) as [Socket]
      for (const socket of [mine, theirs]) socket.on('error', () => socket.destroy())
      ends = [mine, theirs]
    })
    afterEach(async () => {
      for (const socket of ends) socket.destroy()
      server.close()
      await rm(folder, { recursive: true })
    })

    it('carry a frame of the largest size both ways', async () => {
      const [a, b] = ends.map((socket) => socketChannel(socket, 256 * 1024)) as [FrameChannel, FrameChannel]
      const frame = new Uint8Array(256 * 1024).fill(7)
      const [, there] = await Promise.all([a.write(frame), b.read()])
      const [, back] = await Promise.all([b.write(there!), a.read()])
      expect(Buffer.compare(back!, frame)).to.equal(0)
    })

    it('end cleanly on close, and with an error when written to afterwards', async () => {
      const [a, b] = ends.map((socket) => socketChannel(socket, MAX_BYTES)) as [FrameChannel, FrameChannel]
      await a.close()
      expect(await b.read()).to.equal(undefined)
      b.abort(new Error('enough'))
      expect(await codeOf(b.write(Uint8Array.of(1)))).to.equal('CONNECTION_LOST')
    })
  })
})

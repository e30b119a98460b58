import nodeCrypto, { type KeyObject, webcrypto } from 'node:crypto'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { type Event, VirtualClock } from './clock.ts'
import type { Dice } from './random.ts'

/** What a full terabyte of a simulated machine's disk looks like. */
const STATFS = { type: 0, bsize: 4096, blocks: 2 ** 28, bfree: 2 ** 27, bavail: 2 ** 27, files: 0, ffree: 0 }

/** Calls of WebCrypto that run in Node's thread pool; the next event waits for them. */
const SUBTLE = [
  'encrypt',
  'decrypt',
  'sign',
  'verify',
  'digest',
  'importKey',
  'exportKey',
  'deriveBits',
  'deriveKey',
  'generateKey'
] as const

interface Timer extends Event {
  ref(): Timer
  unref(): Timer
}

/**
 * Runs with the process' timers, clock and Math.random replaced by virtual ones, because the code under test uses them directly for
 * deadlines. One at a time in a process. What runs outside of an event (the test's runner) keeps the real ones.
 */
export async function withVirtualTime<T>(dice: Dice, act: (clock: VirtualClock) => Promise<T>): Promise<T> {
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    now: Date.now,
    monotonic: performance.now,
    random: Math.random,
    timeout: AbortSignal.timeout,
    statfs: fs.statfs,
    loadavg: os.loadavg,
    randomBytes: nodeCrypto.randomBytes,
    verify: nodeCrypto.verify
  }
  const crypto = countCrypto()
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  const clock = new VirtualClock(dice, async () => {
    await turn()
    while (crypto.open() > 0) {
      await crypto.idle()
      await turn()
    }
  })
  const schedule = (ms: number, run: () => void): Timer => {
    const timer = clock.after(ms, clock.current, run) as Timer
    timer.ref = () => timer
    timer.unref = () => timer
    return timer
  }
  globalThis.setTimeout = ((run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    clock.current === undefined
      ? real.setTimeout(run, ms, ...args)
      : schedule(ms, () => run(...args))) as unknown as typeof setTimeout
  globalThis.clearTimeout = ((timer: unknown) => {
    if (typeof timer === 'object' && timer !== null && 'tie' in timer) (timer as Event).cancelled = true
    else real.clearTimeout(timer as NodeJS.Timeout | undefined)
  }) as typeof clearTimeout
  Date.now = () => (clock.current === undefined ? real.now() : clock.wallMs(clock.current))
  performance.now = () => (clock.current === undefined ? real.monotonic.call(performance) : clock.elapsedMs)
  Math.random = () => (clock.current === undefined ? real.random() : dice.next())
  AbortSignal.timeout = (ms) => {
    if (clock.current === undefined) return real.timeout.call(AbortSignal, ms)
    const stop = new AbortController()
    schedule(ms, () => stop.abort(new DOMException('The operation timed out', 'TimeoutError')))
    return stop.signal
  }
  os.loadavg = () => [0, 0, 0]
  fs.statfs = (async () => STATFS) as unknown as typeof fs.statfs
  // because the number of a request for bids decides between equal nodes
  nodeCrypto.randomBytes = ((size: number) =>
    clock.current === undefined
      ? real.randomBytes(size)
      : Buffer.from(drawn(dice, size).buffer)) as typeof nodeCrypto.randomBytes
  nodeCrypto.verify = rememberVerified(real.verify as Verify) as typeof nodeCrypto.verify
  syncBuiltinESMExports()
  try {
    return await act(clock)
  } finally {
    globalThis.setTimeout = real.setTimeout
    globalThis.clearTimeout = real.clearTimeout
    Date.now = real.now
    performance.now = real.monotonic
    Math.random = real.random
    AbortSignal.timeout = real.timeout
    fs.statfs = real.statfs
    os.loadavg = real.loadavg
    nodeCrypto.randomBytes = real.randomBytes
    nodeCrypto.verify = real.verify
    syncBuiltinESMExports()
    crypto.restore()
  }
}

/** With memory of its own, as Node's: libraries look at the whole of the buffer below. */
function drawn(dice: Dice, size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, () => dice.whole(0, 255))
}

type Verify = (algorithm: null, data: Uint8Array, key: KeyObject, signature: Uint8Array) => boolean

/** Each signature is checked once in a run instead of once by every node: a third of a run would go there. */
function rememberVerified(verify: Verify): Verify {
  const known = new WeakMap<KeyObject, Map<string, boolean>>()
  return (algorithm, data, key, signature) => {
    const own = known.get(key) ?? new Map<string, boolean>()
    known.set(key, own)
    const name = `${Buffer.from(signature).toString('latin1')}${Buffer.from(data).toString('latin1')}`
    const is = own.get(name) ?? verify(algorithm, data, key, signature)
    if (own.size > 2_000) own.clear()
    own.set(name, is)
    return is
  }
}

function countCrypto() {
  const prototype = Object.getPrototypeOf(webcrypto.subtle) as Record<
    string,
    (...args: unknown[]) => Promise<unknown>
  >
  const originals = SUBTLE.map((name) => [name, prototype[name]!] as const)
  let open = 0
  let wake = () => {}
  const done = () => {
    if (--open === 0) wake()
  }
  for (const [name, original] of originals)
    prototype[name] = function (this: unknown, ...args: unknown[]) {
      open++
      const result = original.apply(this, args)
      result.then(done, done)
      return result
    }
  return {
    open: () => open,
    idle: () =>
      open === 0
        ? Promise.resolve()
        : new Promise<void>((resolve) => {
            wake = resolve
          }),
    restore() {
      for (const [name, original] of originals) prototype[name] = original
    }
  }
}

/** Every asynchronous public function takes these. */
export interface Abortable {
  readonly signal?: AbortSignal
}

/** The longest a timer waits; with more it would fire at once. Source: Node.js, timers. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * `AbortSignal.timeout` for everything that may be combined with other signals: what AbortSignal.any makes of one of Node's own is never let go
 * when it is combined once more (seen with Node.js 24.21: 430 bytes for each), so a node that lives long would grow for ever.
 */
export function timeoutSignal(timeoutMs: number): AbortSignal {
  const controller = new AbortController()
  const fire = () =>
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
  setTimeout(fire, Math.min(timeoutMs, MAX_TIMER_MS)).unref()
  return controller.signal
}

/**
 * A signal that fires at the deadline or when the caller gives up, whichever is first.
 * @param timeoutMs milliseconds from now
 */
export function withDeadline(timeoutMs: number, signal?: AbortSignal): AbortSignal {
  const deadline = timeoutSignal(timeoutMs)
  return signal === undefined ? deadline : AbortSignal.any([signal, deadline])
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it fires. Leaves no timer behind. */
export function delay(ms: number, options: Abortable = {}): Promise<void> {
  const { signal } = options
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Rejects with the signal's reason when it fires before `promise` settles. The promise itself goes on. */
export function raceSignal<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise
  signal.throwIfAborted()
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/**
 * Does something again and again, a tenth of the interval earlier or later each time, so that many nodes do not do it together. Ends when
 * the signal fires; a failure is told and the next round comes all the same.
 */
export async function repeat(
  intervalMs: number,
  act: () => Promise<void>,
  { signal, onError }: Required<Abortable> & { readonly onError: (error: unknown) => void }
): Promise<void> {
  while (!signal.aborted) {
    await delay(intervalMs * (0.9 + Math.random() * 0.2), { signal }).catch(() => {})
    if (!signal.aborted) await act().catch(onError)
  }
}
